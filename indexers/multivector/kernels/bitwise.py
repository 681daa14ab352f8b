"""
MaxSim of bits: each query vector is compared with the page vector from which it differs in fewest bits.

The reference; `compiled.py` does the same with numba, several times as fast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.multivector.bits import BitCodes
from ragvl.indexers.multivector.blocks import BLOCK_PAGES, Blocks

_BLOCKS_AT_ONCE = 16  # what is compared stays in the second-level cache


def scan(query: BitCodes, blocks: Blocks, vectors: int, scores: NDArray[np.int32]) -> None:
    """
    Score pages.

    Args:
        query: (m, words) uint64; words are even.
        blocks: the pages' bits, see `ragvl.indexers.multivector.blocks`.
        vectors: of a page.
        scores: (pages,) int32, filled in: over query vectors, the sum of equal bits less different ones.
    """
    pages, words = len(scores), query.shape[1]
    size = vectors * words
    whole = pages // BLOCK_PAGES * BLOCK_PAGES
    step = _BLOCKS_AT_ONCE * BLOCK_PAGES
    for start in range(0, whole, step):
        end = min(start + step, whole)
        shape = (-1, vectors, words, BLOCK_PAGES)
        scores[start:end] = _score(query, blocks[start * size : end * size].reshape(shape))
    if whole < pages:
        scores[whole:] = _score(query, blocks[whole * size :].reshape(1, vectors, words, -1))


def _score(query: BitCodes, blocks: Blocks) -> NDArray[np.int32]:
    total = np.zeros((blocks.shape[0], blocks.shape[3]), dtype=np.int32)
    for vector in query:
        differing = np.bitwise_count(blocks ^ vector[:, None]).sum(axis=2, dtype=np.int32)
        total -= differing.min(axis=1)
    bits = query.shape[1] * 64
    scores: NDArray[np.int32] = (len(query) * bits + 2 * total).ravel()
    return scores
