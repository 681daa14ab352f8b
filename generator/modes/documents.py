"""Documents that are named, and their pages in order."""

from __future__ import annotations

import glob

from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import Snapshot
from ragvl.protocols import Filter
from ragvl.retrievers.filters import allowed_documents
from ragvl.types import Document, Hit

_NAMED = 5


def one_document(snapshot: Snapshot, name: str) -> Document:
    """
    The document that a name means.

    Args:
        snapshot: of the index.
        name: its path as the index lists it, the end of that, or a glob.

    Raises:
        ValueError: it means none, or several.
    """
    found = documents_at(snapshot, name)
    exact = [document for document in found if document.path == name]
    if len(found) == 1 or exact:
        return (exact or found)[0]
    named = ", ".join(document.path for document in found[:_NAMED])
    raise ValueError(f"{name!r} means {len(found)} documents: {named}; name one of them")


def documents_at(snapshot: Snapshot, name: str) -> list[Document]:
    """
    The documents that a name means: a document, a folder, or a glob, in the order of paths.

    Raises:
        ValueError: there are none.
    """
    bare = name.rstrip("/") or name
    literal = glob.escape(bare)
    ids = allowed_documents(snapshot, Filter(path=(bare, literal, f"{literal}/*"))) if bare else frozenset()
    found = list(snapshot.documents(sorted(ids or ())).values())
    if not found:
        raise ValueError(f"no document at {name!r}; `ragvl list` shows what there is")
    return found


def pages_of(snapshot: Snapshot, document: Document) -> list[Hit]:
    """Every page of a document, in order, with all its passages."""
    rows = fetch(snapshot.connection, "SELECT id FROM pages WHERE document_id = ?", (document.id,))
    pages = sorted(snapshot.pages([row[0] for row in rows]).values(), key=lambda page: page.number)
    return [Hit(page, 0.0, (), tuple(snapshot.passages(page))) for page in pages]
