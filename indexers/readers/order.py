"""Reading order where no engine gives one: lines into blocks, blocks into columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ragvl.types import BBox

_MAX_GAP = 0.9  # between lines of one block, in line heights
_ALIKE = 0.65  # ratio of the heights of two lines of one block, at least
_SHARED = 0.5  # share of the narrower line's width that lies under the block


def blocks_of(lines: Sequence[BBox]) -> list[list[int]]:
    """
    Group lines into blocks, in reading order.

    Args:
        lines: boxes of lines, in any order and unit.

    Returns:
        Indexes into `lines`, block by block, each block from top to bottom.
    """
    blocks: list[list[int]] = []
    for index in sorted(
        range(len(lines)), key=lambda index: (lines[index][1] + lines[index][3], lines[index][0])
    ):
        for block in reversed(blocks):
            if _continues(lines[block[-1]], lines[index]):
                block.append(index)
                break
        else:
            blocks.append([index])
    boxes = [_around([lines[index] for index in block]) for block in blocks]
    return [blocks[position] for position in reading_order(boxes)]


def reading_order(boxes: Sequence[BBox]) -> list[int]:
    """
    Order blocks as they are read: down a column, then the next column (Breuel's rules).

    A block precedes another that it stands above of, and one that it stands left of unless some third block
    lies between them in height and spans both.
    """
    if not boxes:
        return []
    x0, y0, x1, y1 = np.asarray(boxes, dtype=np.float64).T
    shared = np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0)
    over = shared > 0.1 * np.minimum((x1 - x0)[:, None], x1 - x0)
    middle = (y0 + y1) / 2
    above = over & (middle[:, None] < middle)
    left = ~over & (x0[:, None] < x0)
    # parted[a, b]: a third block spans both columns and lies between the two in height.
    between = (middle[:, None, None] < middle) & (middle < middle[None, :, None])
    low_high = between | between.transpose(1, 0, 2)
    spans = over[:, None, :] & over[None, :, :]
    parted = (low_high & spans).any(axis=2)
    before = above | (left & ~parted) | (~over & parted & (middle[:, None] < middle))
    np.fill_diagonal(before, False)
    return _sorted(before, middle, x0)


def _sorted(before: np.ndarray, middle: np.ndarray, x0: np.ndarray) -> list[int]:
    """Topological order; a cycle is broken at its highest block."""
    waiting = before.sum(axis=0)
    left = set(range(len(middle)))
    order: list[int] = []
    while left:
        free = [index for index in left if waiting[index] == 0] or list(left)
        # Stay in the column: prefer the free block nearest below the last one.
        chosen = min(
            free, key=lambda index: (waiting[index], x0[index] if order else 0, middle[index], index)
        )
        left.remove(chosen)
        order.append(chosen)
        waiting = waiting - before[chosen]
    return order


def _continues(upper: BBox, lower: BBox) -> bool:
    height = upper[3] - upper[1]
    other = lower[3] - lower[1]
    gap = lower[1] - upper[3]
    if min(height, other) < _ALIKE * max(height, other) or not -0.5 * height < gap < _MAX_GAP * height:
        return False
    shared = min(upper[2], lower[2]) - max(upper[0], lower[0])
    return shared > _SHARED * min(upper[2] - upper[0], lower[2] - lower[0])


def _around(boxes: Sequence[BBox]) -> BBox:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
