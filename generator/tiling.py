"""How Nemotron Nano VL cuts a picture into tiles: the rule of InternVL."""

from __future__ import annotations

import math

__all__ = ["TILE_PX", "TILE_TOKENS", "tile_count", "tile_grid"]

TILE_PX = 512
"""Edge of a tile, pixels."""
TILE_TOKENS = 256
"""Tokens of a tile."""


def tile_grid(width_px: int, height_px: int, max_tiles: int, tile_px: int = TILE_PX) -> tuple[int, int]:
    """
    Choose the grid that a picture is stretched to, as tiles across and down.

    The grid has the shape nearest to the picture's; of two as near, the one with more tiles if the picture has more
    pixels than half of them.

    Args:
        width_px, height_px: of the picture.
        max_tiles: of the grid; the thumbnail is not counted.
        tile_px: edge of a tile.

    Raises:
        ValueError: the picture has no pixels, or no tile is allowed.
    """
    if width_px < 1 or height_px < 1:
        raise ValueError(f"a picture of {width_px} x {height_px} pixels")
    if max_tiles < 1:
        raise ValueError(f"max_tiles must be at least 1, not {max_tiles}")
    best, nearest = (1, 1), math.inf
    grids = [
        (across, down) for across in range(1, max_tiles + 1) for down in range(1, max_tiles // across + 1)
    ]
    for across, down in sorted(grids, key=lambda grid: grid[0] * grid[1]):
        distance = abs(width_px / height_px - across / down)
        is_larger = width_px * height_px > 0.5 * tile_px**2 * across * down
        if distance < nearest or (distance == nearest and is_larger):
            best, nearest = (across, down), distance
    return best


def tile_count(grid: tuple[int, int], *, thumbnail: bool = True) -> int:
    """Count the tiles of a grid, with the thumbnail of the whole picture that several tiles get."""
    tiles = grid[0] * grid[1]
    return tiles + (thumbnail and tiles > 1)
