"""Several patches become one token: pixel shuffle, version 2."""

from __future__ import annotations

import torch

__all__ = ["pixel_shuffle"]


def pixel_shuffle(features: torch.Tensor, merge: int) -> torch.Tensor:
    """
    Put the patches of each square of `merge` x `merge` behind one another, row by row.

    Args:
        features: (tiles, side * side, width), patches row by row; `side` is a multiple of `merge`.
        merge: edge of the square.

    Returns:
        (tiles, (side / merge) ** 2, width * merge ** 2), squares row by row.
    """
    tiles, patches, width = features.shape
    side = round(patches**0.5)
    cells = side // merge
    squares = features.view(tiles, cells, merge, cells, merge, width).transpose(2, 3)
    return squares.reshape(tiles, cells**2, merge**2 * width)
