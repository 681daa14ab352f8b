"""The text lane: passages whose vectors are nearest to the question's, in FAISS; a page is its best passage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.store.reader import IndexReader, Vectors
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
            allowed = _allowed_rows(vectors, allowed_documents(snapshot, where))
        scores, rows = vectors.table.search(vector, k * _PASSAGES_PER_PAGE, allowed)
        return _pages(vectors, scores, rows)[:k]


def _allowed_rows(vectors: Vectors, documents: frozenset[int] | None) -> NDArray[np.bool_] | None:
    if documents is not None:
        owners = vectors.table.owners[:, 2]
        return vectors.alive & np.isin(owners, np.fromiter(documents, dtype=np.int64, count=len(documents)))
    return None if vectors.alive.all() else vectors.alive


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
