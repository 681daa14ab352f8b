"""The lexical lane: BM25 over the terms of pages and of their passages, in SQLite's FTS5."""

from __future__ import annotations

from ragvl.indexers.analysis import query_terms
from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import IndexReader, Snapshot
from ragvl.protocols import Filter, ScoredPage
from ragvl.retrievers.filters import allowed_documents

_CONTEXT_WEIGHT = 0.5


class LexicalLane:
    """Ranks pages by the words they share with the question."""

    name = "lexical"

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader

    def search(self, query: str, k: int, where: Filter) -> list[ScoredPage]:
        """Find at most k pages, best first, ties by page id."""
        words = query_terms(query)
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in words)
        with self._reader.snapshot() as snapshot:
            return _ranked_pages(snapshot, match, k, allowed_documents(snapshot, where))


def _ranked_pages(snapshot: Snapshot, match: str, k: int, allowed: frozenset[int] | None) -> list[ScoredPage]:
    among, values = "", ()
    if allowed is not None:
        ids = ",".join(map(str, sorted(allowed)))
        among = f"AND rowid IN (SELECT id FROM pages WHERE document_id IN ({ids}))"
    rows = fetch(
        snapshot.connection,
        f"SELECT rowid, -bm25(page_terms, 1.0, {_CONTEXT_WEIGHT}) AS score FROM page_terms "
        f"WHERE page_terms MATCH ? {among} ORDER BY score DESC, rowid LIMIT ?",
        (match, *values, k),
    )
    return [ScoredPage(page_id, score) for page_id, score in rows]
