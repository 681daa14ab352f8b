"""Hits of pages that somebody named, in place of those that a search found."""

from __future__ import annotations

import glob
from collections.abc import Callable, Collection, Mapping, Sequence

from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import Snapshot
from ragvl.types import Hit

Search = Callable[[int, Mapping[str, Sequence[str]]], Sequence[Hit]]  # k and filter to hits, best first


def given_hits(snapshot: Snapshot, pages: Collection[tuple[str, int]], search: Search) -> list[Hit]:
    """
    Search given pages only, and make up hits of those that no lane finds.

    Args:
        pages: the path of a document, and a page number from 1.
        search: the search of the same snapshot.

    Returns:
        One hit a page: those found, best first, then the others with score 0 and no passages.

    Raises:
        ValueError: no pages are given, or one is not in the index.
    """
    if not pages:
        raise ValueError("name at least one page to answer from")
    documents = list(snapshot.documents().values())
    ids = _page_ids(snapshot, pages, {document.path: document.id for document in documents})
    paths = sorted({path for path, _ in pages})
    ends = tuple(f"/{path}" for path in paths)  # a filter on a path finds longer ones that end in it, too
    most = sum(one.page_count for one in documents if one.path in paths or one.path.endswith(ends))
    found = search(most, {"path": [glob.escape(path) for path in paths]})
    chosen = [hit for hit in found if hit.page.id in ids]
    others = snapshot.pages(ids - {hit.page.id for hit in chosen})
    return chosen + [Hit(others[page_id], 0.0, (), ()) for page_id in sorted(others)]


def _page_ids(
    snapshot: Snapshot, pages: Collection[tuple[str, int]], documents: Mapping[str, int]
) -> set[int]:
    ids = set()
    for path, number in pages:
        sql = "SELECT id FROM pages WHERE document_id = ? AND number = ?"
        rows = fetch(snapshot.connection, sql, (documents.get(path, 0), number))
        if not rows:
            raise ValueError(f"no page {number} of a document at {path!r}; `ragvl list` shows what there is")
        ids.add(int(rows[0][0]))
    return ids
