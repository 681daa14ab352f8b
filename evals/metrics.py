"""Retrieval metrics over ranked lists with binary relevance, as trec_eval defines them (linear gain, log2 discount)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TypeVar

Id = TypeVar("Id", int, str, tuple[str, int])


def ndcg(ranked: Sequence[Id], relevant: Collection[Id], k: int) -> float:
    """Normalised discounted cumulative gain of the first k; 0 when nothing is relevant."""
    gain = sum(1 / math.log2(rank + 2) for rank, found in enumerate(ranked[:k]) if found in relevant)
    best = sum(1 / math.log2(rank + 2) for rank in range(min(k, len(relevant))))
    return gain / best if best else 0.0


def recall(ranked: Sequence[Id], relevant: Collection[Id], k: int) -> float:
    """Share of the relevant that is among the first k; 0 when nothing is relevant."""
    return len(set(ranked[:k]) & set(relevant)) / len(relevant) if relevant else 0.0
