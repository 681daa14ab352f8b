"""
Which place of the page each image token of a model stands for.

A table by the model's type, as its own config names it. Token numbers are checked against the table's arithmetic: where
they differ, or the type is not in the table, the place is not known, and a vector's box is the whole page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from ragvl.protocols import FloatArray

__all__ = ["Layout", "WholePage", "layout_of", "tile_grid"]

_LARGEST_PX = 4096  # Idefics3's processor makes no image larger than that


class Layout(Protocol):
    """How one family of image processors cuts a page."""

    @property
    def image_settings(self) -> dict[str, Any]:
        """Settings of the image processor that keep it from enlarging a page beyond what is wanted; else empty."""

    def pixels(self, width_px: int, height_px: int) -> int:
        """Pixels that the model computes on for an image of this size."""

    def boxes(
        self, features: Mapping[str, Any], row: int, width_px: int, height_px: int, tokens: int
    ) -> FloatArray | None:
        """
        Places of the image tokens of one page, in the order of the tokens.

        Args:
            features: what the processor returned for the batch.
            row: of the page in it.
            width_px, height_px: of the image that the processor was given.
            tokens: image tokens of that page.

        Returns:
            (tokens, 4) float32, x0, y0, x1, y1 as shares of width and height; None where it is not known.
        """


class WholePage:
    """Any model whose cuts are not known."""

    def __init__(self, processor: Any, max_side_px: int) -> None:
        """Take the model's processor, and how large a page may be."""

    @property
    def image_settings(self) -> dict[str, Any]:
        """None: the processor keeps its own."""
        return {}

    def pixels(self, width_px: int, height_px: int) -> int:
        """Those of the image."""
        return width_px * height_px

    def boxes(
        self, features: Mapping[str, Any], row: int, width_px: int, height_px: int, tokens: int
    ) -> FloatArray | None:
        """Not known."""
        return None


class _Patches(WholePage):
    """Qwen2-VL and its kin: one grid as large as the page asks for, with neighbouring patches merged into one token."""

    def __init__(self, processor: Any, max_side_px: int) -> None:
        self._merge = int(processor.image_processor.merge_size)

    def boxes(
        self, features: Mapping[str, Any], row: int, width_px: int, height_px: int, tokens: int
    ) -> FloatArray | None:
        grid = features.get("image_grid_thw")
        if grid is None:
            return None
        _, rows, columns = (int(number) for number in grid[row])
        return _checked(_grid(rows // self._merge, columns // self._merge), tokens)


class _Square(WholePage):
    """PaliGemma: the page is stretched to a square of a fixed number of patches."""

    def __init__(self, processor: Any, max_side_px: int) -> None:
        size = processor.image_processor.size
        self._pixels = int(size["height"]) * int(size["width"])

    def pixels(self, width_px: int, height_px: int) -> int:
        return self._pixels

    def boxes(
        self, features: Mapping[str, Any], row: int, width_px: int, height_px: int, tokens: int
    ) -> FloatArray | None:
        side = math.isqrt(tokens)
        return _checked(_grid(side, side), tokens)


class _Tiles:
    """
    Idefics3 and its kin: the page is stretched to whole tiles, which come row by row, and then once more as one tile.

    The processor enlarges small images too, so that its own limit decides what a page costs.
    """

    def __init__(self, processor: Any, max_side_px: int) -> None:
        images = processor.image_processor
        own_px = int(images.size["longest_edge"])
        self._tile_px = int(images.max_image_size["longest_edge"])
        self._splits = bool(images.do_image_splitting)
        self._tile_tokens = int(processor.image_seq_len)
        self._longest_px = min(own_px, max(max_side_px // self._tile_px, 1) * self._tile_px)
        self.image_settings = (
            {} if self._longest_px == own_px else {"size": {"longest_edge": self._longest_px}}
        )

    def pixels(self, width_px: int, height_px: int) -> int:
        rows, columns = self._grid_of(width_px, height_px)
        return (rows * columns + 1) * self._tile_px**2

    def boxes(
        self, features: Mapping[str, Any], row: int, width_px: int, height_px: int, tokens: int
    ) -> FloatArray | None:
        rows, columns = self._grid_of(width_px, height_px)
        side = math.isqrt(self._tile_tokens)
        inside = _grid(side, side)
        if side * side != self._tile_tokens:
            inside = _grid(1, 1).repeat(self._tile_tokens, axis=0)
        tiles = [*(_grid(rows, columns) if rows else ()), np.array([0, 0, 1, 1], np.float32)]
        placed = [
            inside * np.tile(tile[2:] - tile[:2], 2) + np.tile(tile[:2], 2)
            for tile in tiles  # each token's place in its tile becomes its place on the page
        ]
        return _checked(np.concatenate(placed).astype(np.float32), tokens)

    def _grid_of(self, width_px: int, height_px: int) -> tuple[int, int]:
        return tile_grid(width_px, height_px, self._longest_px, self._tile_px) if self._splits else (0, 0)


def tile_grid(width_px: int, height_px: int, longest_px: int, tile_px: int) -> tuple[int, int]:
    """
    Rows and columns of tiles that Idefics3's image processor cuts an image into; (0, 0) when one tile holds it.

    Its arithmetic, roundings included: `resize` and `resize_for_vision_encoder` in transformers'
    image_processing_idefics3.py. (`get_number_of_image_patches` there rounds otherwise.)
    """
    width, height = _scaled(width_px, height_px, longest_px, even=True)
    if max(width, height) > _LARGEST_PX:
        width, height = _scaled(width, height, _LARGEST_PX, even=False)
    ratio = width / height
    if width >= height:
        columns = math.ceil(width / tile_px)
        rows = math.ceil(int(columns * tile_px / ratio) / tile_px)
    else:
        rows = math.ceil(height / tile_px)
        columns = math.ceil(int(rows * tile_px * ratio) / tile_px)
    return (rows, columns) if rows > 1 or columns > 1 else (0, 0)


_LAYOUTS: Mapping[str, Callable[[Any, int], Layout]] = {
    "colmodernvbert": _Tiles,
    "modernvbert": _Tiles,
    "idefics3": _Tiles,
    "smolvlm": _Tiles,
    "colqwen2": _Patches,
    "qwen2_vl": _Patches,
    "qwen2_5_vl": _Patches,
    "qwen3_vl": _Patches,
    "qwen3_5": _Patches,
    "colpali": _Square,
    "paligemma": _Square,
}


def layout_of(model_type: str, processor: Any, max_side_px: int) -> Layout:
    """
    Choose the layout of a model.

    Args:
        model_type: as the model's config says.
        processor: of the model.
        max_side_px: how large a page may be; tiles are counted so that they do not pass it.
    """
    try:
        return _LAYOUTS.get(model_type, WholePage)(processor, max_side_px)
    except (
        AttributeError,
        KeyError,
        TypeError,
    ):  # its processor is not the one that models of this type have
        return WholePage(processor, max_side_px)


def _scaled(width: int, height: int, longest: int, *, even: bool) -> tuple[int, int]:
    ratio = width / height
    shorter = int(longest / ratio) if width >= height else int(longest * ratio)
    shorter = max(shorter + (shorter % 2 if even else 0), 1)
    return (longest, shorter) if width >= height else (shorter, longest)


def _grid(rows: int, columns: int) -> FloatArray:
    """Boxes of a regular grid, row by row, as shares of its width and height: (rows * columns, 4)."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    cells = np.stack([x / columns, y / rows, (x + 1) / columns, (y + 1) / rows], axis=-1)
    return cells.reshape(-1, 4).astype(np.float32)


def _checked(boxes: FloatArray, tokens: int) -> FloatArray | None:
    return boxes if len(boxes) == tokens else None
