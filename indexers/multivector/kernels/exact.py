"""MaxSim of float32 vectors, the measure that the tiers approach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ragvl.protocols import FloatArray

_PRODUCTS_AT_ONCE = 8_000_000


def maxsim_reference(query: FloatArray, vectors: FloatArray, ends: NDArray[np.int64]) -> FloatArray:
    """Score one bag after another; see `maxsim`."""
    bags = np.split(vectors, ends[:-1])
    return np.array([(query @ bag.T).max(axis=1).sum() for bag in bags], dtype=np.float32)


def maxsim(query: FloatArray, vectors: FloatArray, ends: NDArray[np.int64]) -> FloatArray:
    """
    Score bags of vectors.

    Args:
        query: (m, dimension) float32.
        vectors: (rows, dimension) float32, bag after bag.
        ends: (n,), where each bag's rows end.

    Returns:
        (n,) float32, the sum over query vectors of the largest inner product.

    Raises:
        ValueError: a bag is empty.
    """
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    if (starts >= ends).any():
        raise ValueError(f"bag {int(np.argmax(starts >= ends))} holds no vectors")
    scores = np.empty(len(ends), dtype=np.float32)
    most_rows = max(1, _PRODUCTS_AT_ONCE // len(query))
    first = 0
    while first < len(ends):
        # As many whole bags as fit; one that does not is alone.
        last = max(first + 1, int(np.searchsorted(ends, starts[first] + most_rows, side="right")))
        products = vectors[starts[first] : ends[last - 1]] @ query.T
        best = np.maximum.reduceat(products, starts[first:last] - starts[first], axis=0)
        scores[first:last] = best.sum(axis=1)
        first = last
    return scores
