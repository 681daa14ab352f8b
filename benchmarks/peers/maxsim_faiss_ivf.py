"""
Late interaction with FAISS: an inverted file over all vectors, then exact scores of the pages that they belong to.

Each query vector finds its nearest vectors; a page's first score is the sum of the best that each found of it; the 100 best
pages are compared exactly with vectors kept in memory in half precision. Run by benchmarks/maxsim_peers.py.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import faiss
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from maxsim_store import Bags, run

_RESCORED = 100
_SAMPLE = 200_000  # vectors that the lists are trained on


class InvertedFile:
    """`setting`: [lists to look into, vectors that each query vector finds]."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._probes, self._depth = job["setting"]
        self._index: Any = None
        self._bags: dict[int, Any] = {}
        self._firsts: dict[int, int] = {}
        self._owners = np.empty(0, dtype=np.int64)

    def add(self, first_id: int, bags: Bags) -> None:
        """Train on the first that come."""
        vectors = np.concatenate(bags)
        if self._index is None:
            dimension = vectors.shape[1]
            lists = int(4 * np.sqrt(len(vectors)))
            quantizer = faiss.IndexFlatIP(dimension)
            self._index = faiss.IndexIVFScalarQuantizer(
                quantizer, dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
            )
            rows = np.random.default_rng(0).choice(len(vectors), min(_SAMPLE, len(vectors)), replace=False)
            self._index.train(vectors[rows])
            self._index.nprobe = self._probes
        self._index.add(vectors)
        for page_id, bag in enumerate(bags, first_id):
            self._bags[page_id] = bag.astype(np.float16)
            self._firsts[page_id] = len(self._owners)
            self._owners = np.concatenate([self._owners, np.full(len(bag), page_id)])

    def delete(self, page_ids: list[int]) -> None:
        """Ids of vectors stay as they are in an inverted file."""
        rows = [np.arange(len(self._bags[page_id])) + self._firsts[page_id] for page_id in page_ids]
        self._index.remove_ids(np.concatenate(rows))
        for page_id in page_ids:
            del self._bags[page_id]

    def search(self, query: Any, k: int) -> list[int]:
        """Two stages."""
        scores, rows = self._index.search(query, self._depth)
        first: dict[int, float] = {}
        for near, owners in zip(scores, self._owners[rows], strict=True):
            found, places = np.unique(owners, return_index=True)  # the first of each page is its best
            for page_id, score in zip(found.tolist(), near[places].tolist(), strict=True):
                first[page_id] = first.get(page_id, 0.0) + score
        candidates = sorted(first, key=lambda page_id: -first[page_id])[:_RESCORED]
        exact = {page_id: self._score(query, page_id) for page_id in candidates}
        return sorted(exact, key=lambda page_id: -exact[page_id])[:k]

    def size_bytes(self) -> int:
        """Of the index and of the vectors kept for exact scores."""
        kept = sum(bag.nbytes for bag in self._bags.values())
        return len(faiss.serialize_index(self._index)) + kept

    def _score(self, query: Any, page_id: int) -> float:
        return float((query @ self._bags[page_id].astype(np.float32).T).max(axis=1).sum())


if __name__ == "__main__":
    run(InvertedFile)
