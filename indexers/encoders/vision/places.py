"""Boxes of vectors on a page, in points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ragvl.protocols import FloatArray, PageView

__all__ = ["WordBoxes", "on_page", "whole_page"]


def whole_page(page: PageView, count: int) -> FloatArray:
    """The page itself, so many times: (count, 4)."""
    return np.tile(np.array([0, 0, page.width_pt, page.height_pt], np.float32), (count, 1))


def on_page(shares: FloatArray, page: PageView) -> FloatArray:
    """Turn (n, 4) shares of a page's width and height into points."""
    scale = np.array([page.width_pt, page.height_pt, page.width_pt, page.height_pt], np.float32)
    return (shares * scale).astype(np.float32)


class WordBoxes:
    """The words of a page, to be looked up by the characters of its text."""

    def __init__(self, page: PageView) -> None:
        """Take a page whose words are in the order of its text."""
        self._page = page
        self._starts = np.array([start for start, _, _ in page.words], np.int64)
        self._ends = np.array([end for _, end, _ in page.words], np.int64)
        self._boxes = np.array([box for _, _, box in page.words], np.float32).reshape(-1, 4)

    def of(self, spans: NDArray[np.int64]) -> FloatArray:
        """
        Find the boxes of spans of characters: the one around the words that a span touches, or the page for none.

        Args:
            spans: (n, 2) in the page's text.

        Returns:
            (n, 4) float32, points.
        """
        found = whole_page(self._page, len(spans))
        firsts = np.searchsorted(self._ends, spans[:, 0], side="right")
        lasts = np.searchsorted(self._starts, spans[:, 1], side="left")
        for row, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
            if first < last:
                touched = self._boxes[first:last]
                found[row] = (*touched[:, :2].min(axis=0), *touched[:, 2:].max(axis=0))
        return found
