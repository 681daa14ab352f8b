"""The text lane: passages whose vectors are nearest to the question's, in FAISS; a page is its best passage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.store.lanes import Vectors
from ragvl.indexers.store.reader import IndexReader
from ragvl.protocols import Filter, ScoredPage, TextEncoder
from ragvl.retrievers.filters import allowed_documents

_PASSAGES_PER_PAGE = 6


class TextLane:
    """Ranks pages by the meaning of their passages."""

    name = "text"

    def __init__(self, reader: IndexReader, encoder: TextEncoder) -> None:
        self._reader = reader
        self._encoder = encoder

    def search(self, query: str, k: int, where: Filter) -> list[ScoredPage]:
        """Find at most k pages, best first, ties by page id."""
        vector = self._encoder.encode_queries([query])[0]
        with self._reader.snapshot() as snapshot:
            vectors = snapshot.vectors
            allowed = allowed_rows(
                vectors.alive, vectors.table.owners[:, 2], allowed_documents(snapshot, where)
            )
        scores, rows = vectors.table.search(vector, k * _PASSAGES_PER_PAGE, allowed)
        return _pages(vectors, scores, rows)[:k]


def allowed_rows(
    alive: NDArray[np.bool_], documents: NDArray[np.int64], allowed: frozenset[int] | None
) -> NDArray[np.bool_] | None:
    """
    Tell which rows of a lane may be found.

    Args:
        alive: (n,) rows that are not removed.
        documents: (n,) the document of each row.
        allowed: documents that may be found; None allows all.

    Returns:
        (n,), or None when all may be.
    """
    if allowed is not None:
        return alive & np.isin(documents, np.fromiter(allowed, dtype=np.int64, count=len(allowed)))
    return None if alive.all() else alive


def _pages(vectors: Vectors, scores: NDArray[np.float32], rows: NDArray[np.int64]) -> list[ScoredPage]:
    best: dict[int, float] = {}
    passages: dict[int, list[int]] = {}
    for score, (passage_id, page_id, _) in zip(
        scores.tolist(), vectors.table.owners[rows].tolist(), strict=True
    ):
        best.setdefault(page_id, score)
        passages.setdefault(page_id, []).append(passage_id)
    ranked = sorted(best, key=lambda page_id: (-best[page_id], page_id))
    return [ScoredPage(page_id, best[page_id], tuple(passages[page_id])) for page_id in ranked]
