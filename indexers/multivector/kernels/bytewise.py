"""
MaxSim of bytes: inner products of the query's 12-bit codes with the pages' 8-bit codes.

Sums of products are whole numbers below 2^31, and exact however they are added up, so every form and any split of the work
gives the same bits: only the last steps, which are in a fixed order, are in float32. The reference; `compiled.py` does
the same with numba, several times as fast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SHIFT = 64
_ROWS_AT_ONCE = 4096


def maxsim(
    query: NDArray[np.int16],
    query_scales: NDArray[np.float32],
    codes: NDArray[np.int8],
    scales: NDArray[np.float32],
    ends: NDArray[np.int64],
    scores: NDArray[np.float32],
) -> None:
    """
    Score pages.

    Args:
        query: (m, dimension), see `QueryCodes`.
        query_scales: (m,).
        codes: (rows, dimension), the pages' vectors, page after page.
        scales: (rows,).
        ends: (pages,), where each page's rows end; a page has at least one.
        scores: (pages,), filled in: the sum over query vectors of the largest cosine.
    """
    # Halves of 6 bits: float32 holds their sums exactly up to 4,096 dimensions, and multiplies faster than float64.
    high = (query.astype(np.int32) + _SHIFT // 2) // _SHIFT
    low = query - high * _SHIFT
    halves = np.concatenate([high, low]).astype(np.float32)
    cosines = np.empty((len(codes), len(query)), dtype=np.float32)
    for start in range(0, len(codes), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        products = (codes[rows].astype(np.float32) @ halves.T).astype(np.int32)
        whole = products[:, : len(query)] * _SHIFT + products[:, len(query) :]
        cosines[rows] = whole.astype(np.float32) * scales[rows, None]
    starts = np.concatenate([[0], ends[:-1]])
    best = np.maximum.reduceat(cosines, starts, axis=0) * query_scales
    # Not `sum`, which may add in another order.
    scores[:] = 0
    for column in best.T:
        scores += column
