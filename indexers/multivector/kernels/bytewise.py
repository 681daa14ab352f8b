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


def finest(
    query: NDArray[np.int16],
    query_scales: NDArray[np.float32],
    codes: NDArray[np.int8],
    rest: NDArray[np.int8],
    scales: NDArray[np.float32],
) -> np.float32:
    """
    Score one page with ten bits a number: its vectors are scales / 8 * (8 * codes + rest).

    Args:
        query, query_scales: as for `maxsim`.
        codes, rest: (rows, dimension).
        scales: (rows,).
    """
    whole = 8 * _products(query, codes) + _products(query, rest)
    cosines = whole.astype(np.float32) * (scales[:, None] / 8)
    score = np.float32(0)
    for value in cosines.max(axis=0) * query_scales:
        score += value
    return score


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
    cosines = np.empty((len(codes), len(query)), dtype=np.float32)
    for start in range(0, len(codes), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        cosines[rows] = _products(query, codes[rows]).astype(np.float32) * scales[rows, None]
    starts = np.concatenate([[0], ends[:-1]])
    best = np.maximum.reduceat(cosines, starts, axis=0) * query_scales
    # Not `sum`, which may add in another order.
    scores[:] = 0
    for column in best.T:
        scores += column


def _products(query: NDArray[np.int16], codes: NDArray[np.int8]) -> NDArray[np.int64]:
    """Inner products (rows, m), exact: in halves of 6 bits, whose sums float32 holds up to 4,096 dimensions."""
    high = (query.astype(np.int32) + _SHIFT // 2) // _SHIFT
    low = query - high * _SHIFT
    products = codes.astype(np.float32) @ np.concatenate([high, low]).astype(np.float32).T
    whole = products.astype(np.int64)
    found: NDArray[np.int64] = whole[:, : len(query)] * _SHIFT + whole[:, len(query) :]
    return found
