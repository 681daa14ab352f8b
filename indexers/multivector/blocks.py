"""
How the bits of many pages lie in memory: in blocks of 32 pages, word by word.

A block is (vectors, words, pages): the same word of 32 pages lies together, so that one instruction compares several pages,
and a block stays in the first-level cache while all vectors of a query pass over it. The last block has as many pages
as are left.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.multivector.bits import BitCodes

BLOCK_PAGES = 32

Blocks = NDArray[np.uint64]  # flat


def to_block(pages: list[BitCodes]) -> Blocks:
    """Lay out at most BLOCK_PAGES pages, each (vectors, words)."""
    return np.ascontiguousarray(np.stack(pages, axis=-1)).ravel()


def page_of(blocks: Blocks, page: int, pages: int, shape: tuple[int, int]) -> BitCodes:
    """The bits of one page of `pages`; `shape` is (vectors, words), and that of the result."""
    start = page // BLOCK_PAGES * BLOCK_PAGES
    width = min(BLOCK_PAGES, pages - start)
    size = shape[0] * shape[1]
    block = blocks[start * size : (start + width) * size].reshape(*shape, width)
    return np.ascontiguousarray(block[:, :, page - start])


def slices(pages: int, most: int) -> Iterator[slice]:
    """Cut pages into runs of `most`, a multiple of BLOCK_PAGES, and what is left."""
    for start in range(0, pages, most):
        yield slice(start, min(start + most, pages))
