"""The kernels compiled with numba: the same bits as the references, other threads may run meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from ragvl.indexers.multivector.blocks import BLOCK_PAGES

SCAN = "void(uint64[:, ::1], uint64[::1], int64, int32[::1])"
WEIGH = "void(uint64[:, ::1], uint64[:, :, ::1], int32[::1], uint64[::1], int64, int64[::1], int32[::1])"
MAXSIM = "void(int16[:, ::1], float32[::1], int8[:, ::1], float32[::1], int64[::1], float32[::1])"


@intrinsic
def _ones(typing_context: Any, word: Any) -> Any:
    """Count the ones of a word."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


def scan(query: Any, blocks: Any, vectors: Any, scores: Any) -> None:
    """See `bitwise.scan`; one page is one lane of a vector instruction."""
    pages, words = len(scores), query.shape[1]
    bits = 64 * words
    best, differing = np.empty(BLOCK_PAGES, np.uint64), np.empty(BLOCK_PAGES, np.uint64)
    for start in range(0, pages, BLOCK_PAGES):
        width = min(BLOCK_PAGES, pages - start)
        for page in range(width):
            scores[start + page] = 0
        for i in range(len(query)):
            for page in range(width):
                best[page] = bits
            row = start * vectors * words
            for _ in range(vectors):
                low, high = query[i, 0], query[i, 1]
                for page in range(width):
                    differing[page] = _ones(blocks[row + page] ^ low) + _ones(
                        blocks[row + width + page] ^ high
                    )
                row += 2 * width
                for word in range(2, words, 2):
                    low, high = query[i, word], query[i, word + 1]
                    for page in range(width):
                        differing[page] += _ones(blocks[row + page] ^ low)
                        differing[page] += _ones(blocks[row + width + page] ^ high)
                    row += 2 * width
                for page in range(width):
                    best[page] = min(best[page], differing[page])
            for page in range(width):
                scores[start + page] += bits - 2 * np.int64(best[page])


def weigh(query: Any, weights: Any, shares: Any, blocks: Any, vectors: Any, rows: Any, scores: Any) -> None:
    """See `bitwise.weigh`."""
    words = query.shape[1]
    pages = len(blocks) // (vectors * words)
    bag = np.empty(vectors * words, np.uint64)
    for place in range(len(rows)):
        start = rows[place] // BLOCK_PAGES * BLOCK_PAGES
        width = min(BLOCK_PAGES, pages - start)
        first = start * vectors * words + rows[place] - start
        for word in range(vectors * words):
            bag[word] = blocks[first + word * width]
        score = np.int64(0)
        for i in range(len(query)):
            whole = np.uint64(0)
            for word in range(words):
                whole += (
                    _ones(weights[i, 0, word])
                    + np.uint64(2) * _ones(weights[i, 1, word])
                    + np.uint64(4) * _ones(weights[i, 2, word])
                )
            least = whole
            for vector in range(vectors):
                lost = np.uint64(0)
                for word in range(words):
                    differing = bag[vector * words + word] ^ query[i, word]
                    lost += (
                        _ones(differing & weights[i, 0, word])
                        + np.uint64(2) * _ones(differing & weights[i, 1, word])
                        + np.uint64(4) * _ones(differing & weights[i, 2, word])
                    )
                least = min(least, lost)
            score += shares[i] * (np.int64(whole) - 2 * np.int64(least))
        scores[place] = score


def maxsim(query: Any, query_scales: Any, codes: Any, scales: Any, ends: Any, scores: Any) -> None:
    """See `bytewise.maxsim`."""
    m, dimension = query.shape
    best = np.empty(m, np.float32)
    row = 0
    for page in range(len(ends)):
        best[:] = -np.inf
        for token in range(row, ends[page]):
            for i in range(m):
                # numba widens whole numbers; narrowed again, LLVM multiplies pairs of them at once.
                total = np.int32(0)
                for j in range(dimension):
                    total = np.int32(total + np.int32(query[i, j]) * np.int32(codes[token, j]))
                best[i] = max(best[i], np.float32(total) * scales[token])
        row = ends[page]
        score = np.float32(0)
        for i in range(m):
            score += best[i] * query_scales[i]
        scores[page] = score


def compile_kernels(cache: bool) -> tuple[Callable[..., None], Callable[..., None], Callable[..., None]]:
    """
    Compile `scan`, `weigh` and `maxsim`; with `cache`, what an earlier process compiled is taken from the disk.

    Raises:
        RuntimeError, OSError: the cache cannot be written.
    """
    options = {"nogil": True, "cache": cache}
    return (
        numba.njit(SCAN, **options)(scan),
        numba.njit(WEIGH, **options)(weigh),
        numba.njit(MAXSIM, **options)(maxsim),
    )
