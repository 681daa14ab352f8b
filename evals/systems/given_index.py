"""A ready index in place of one made from the corpus: which of its documents are those of the corpus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from ragvl.config import INDEX_FOLDER
from ragvl.errors import IndexNotFoundError, RagvlError
from ragvl.evals.types import EvalSet
from ragvl.indexers.store.files import sha256_of
from ragvl.types import Document, DocumentStatus

__all__ = ["find_given_index", "match_documents"]

_READ = (DocumentStatus.OK, DocumentStatus.PARTIAL)
_NAMED = 5  # documents that an error names


def find_given_index(path: Path) -> Path:
    """
    Find the index that a path means: itself, or `.ragvl` in it.

    Raises:
        IndexNotFoundError: there is none.
    """
    for folder in (path, path / INDEX_FOLDER):
        if (folder / "ragvl.db").is_file():
            return folder
    raise IndexNotFoundError(f"no index at {path}: name the folder that holds ragvl.db, or leave out --index")


def match_documents(corpus: EvalSet, indexed: Sequence[Document], index: Path) -> dict[str, str]:
    """
    Find the documents of a corpus in an index: by content, and by file name where the set has no file of its own.

    Returns:
        Document id of the corpus to the SHA-256 of its file.

    Raises:
        RagvlError: documents or pages are not in the index; it says which.
    """
    if not corpus.documents:
        raise RagvlError(
            f"the set {corpus.name!r} has no documents that an index could hold, only pages: leave out --index"
        )
    by_hash = {one.sha256: one for one in indexed if one.sha256}
    by_name: dict[str, list[Document]] = defaultdict(list)
    for one in indexed:
        by_name[PurePosixPath(one.path).name].append(one)
    needed = _needed_pages(corpus)
    found: dict[str, str] = {}
    missing: list[str] = []
    for wanted in corpus.documents:
        hashed = sha256_of(wanted.path) if wanted.path.is_file() else ""
        named = by_name.get(wanted.path.name, [])
        document = by_hash.get(hashed) if hashed else named[0] if len(named) == 1 else None
        lack = _lack(document, named, needed.get(wanted.id, 0))
        if lack:
            missing.append(f"{wanted.id} ({lack})")
        elif document is not None:
            found[wanted.id] = document.sha256
    if missing:
        shown = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
        raise RagvlError(
            f"{index} lacks {len(missing)} of {len(corpus.documents)} documents of the set {corpus.name!r}: {shown}. "
            "Index them there, or leave out --index"
        )
    return found


def _needed_pages(corpus: EvalSet) -> Mapping[str, int]:
    """Of every document the last page that the corpus has of it."""
    needed: dict[str, int] = defaultdict(int)
    for page in corpus.pages:
        needed[page.document] = max(needed[page.document], page.number)
    return needed


def _lack(document: Document | None, named: Sequence[Document], pages: int) -> str:
    """Say what an index lacks of a document, "" for nothing; one that could not be read is there, with its status."""
    if document is None:
        if len(named) > 1:
            return f"{len(named)} documents have its name"
        return "another file has its name" if named else "not indexed"
    if document.status in _READ and document.page_count < pages:
        return f"pages {document.page_count + 1} to {pages} are missing"
    return ""
