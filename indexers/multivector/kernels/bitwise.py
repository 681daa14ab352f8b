"""
MaxSim of bits: each query vector is compared with the page vector from which it differs in fewest bits, or least weight.

Weighed, a bit counts by how far the query vector lies from its plane: that costs three times as much, and keeps in the best
half per cent of the pages what unweighed bits keep in the best per cent (cf. RaBitQ, Gao and Long, SIGMOD 2024, whose queries
have four bits a dimension, too).

The reference; `compiled.py` does the same with numba, several times as fast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.multivector.bits import BitCodes
from ragvl.indexers.multivector.blocks import BLOCK_PAGES, Blocks, page_of

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


def weigh(
    query: BitCodes,
    weights: NDArray[np.uint64],
    shares: NDArray[np.int32],
    blocks: Blocks,
    vectors: int,
    rows: NDArray[np.int64],
    scores: NDArray[np.int32],
) -> None:
    """
    Score some pages of a segment, weighing bits.

    Args:
        query, weights, shares: of `ragvl.indexers.multivector.query.QueryCodes`.
        blocks: of all pages of the segment.
        vectors: of a page.
        rows: (n,) int64, which pages.
        scores: (n,) int32, filled in: over query vectors, share times (weight of all bits less twice that of differing ones).
    """
    shape = (vectors, query.shape[1])
    pages = len(blocks) // (shape[0] * shape[1])
    bags = np.stack([page_of(blocks, row, pages, shape) for row in rows.tolist()])
    powers = 1 << np.arange(weights.shape[1])
    scores[:] = 0
    for vector, planes, share in zip(query, weights, shares.tolist(), strict=True):
        differing = (bags ^ vector)[:, :, None] & planes
        lost = (np.bitwise_count(differing).sum(axis=3, dtype=np.int32) * powers).sum(axis=2).min(axis=1)
        whole = int((np.bitwise_count(planes).sum(axis=1, dtype=np.int32) * powers).sum())
        scores += (share * (whole - 2 * lost)).astype(np.int32)


def _score(query: BitCodes, blocks: Blocks) -> NDArray[np.int32]:
    total = np.zeros((blocks.shape[0], blocks.shape[3]), dtype=np.int32)
    for vector in query:
        differing = np.bitwise_count(blocks ^ vector[:, None]).sum(axis=2, dtype=np.int32)
        total -= differing.min(axis=1)
    bits = query.shape[1] * 64
    scores: NDArray[np.int32] = (len(query) * bits + 2 * total).ravel()
    return scores
