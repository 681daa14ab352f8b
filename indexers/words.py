"""
The words of a page as the index stores them: where each stands in the text and on the page.

Fourteen bytes a word: start (uint32) and length (uint16) in the page's text, and the box as four uint16
fractions of the page's width and height, which is exact to 0.02 pt on an A4 page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ragvl.types import BBox

_RECORD = np.dtype([("start", "<u4"), ("length", "<u2"), ("box", "<u2", (4,))])
_STEPS = 65535


class PlacedWord(NamedTuple):
    """A word's character span in the page's text, and its box on the page in points."""

    start: int
    end: int
    bbox_pt: BBox


def pack_words(words: Sequence[PlacedWord], width_pt: float, height_pt: float) -> bytes:
    """Pack words, in the order of the text; boxes are clipped to the page."""
    records = np.zeros(len(words), dtype=_RECORD)
    if words:
        starts = np.array([word.start for word in words])
        records["start"] = starts
        records["length"] = np.minimum(np.array([word.end for word in words]) - starts, _STEPS)
        fractions = np.array([word.bbox_pt for word in words]) / _scale(width_pt, height_pt)
        records["box"] = np.rint(np.clip(np.nan_to_num(fractions), 0, 1) * _STEPS)
    return records.tobytes()


def unpack_words(packed: bytes, width_pt: float, height_pt: float) -> list[PlacedWord]:
    """Undo `pack_words`."""
    records = np.frombuffer(packed, dtype=_RECORD)
    boxes = _boxes(records, width_pt, height_pt)
    return [
        PlacedWord(start, end, (x0, y0, x1, y1))
        for start, end, (x0, y0, x1, y1) in zip(
            records["start"].tolist(), _ends(records).tolist(), boxes.tolist(), strict=True
        )
    ]


def line_boxes(packed: bytes, width_pt: float, height_pt: float, start: int, end: int) -> tuple[BBox, ...]:
    """Boxes of the text from `start` to `end`, one a line; a new line begins where the next word is not beside."""
    records = np.frombuffer(packed, dtype=_RECORD)
    first = int(np.searchsorted(_ends(records), start, side="right"))
    last = int(np.searchsorted(records["start"], end, side="left"))
    boxes = _boxes(records[first:last], width_pt, height_pt)
    if not len(boxes):
        return ()
    left, top, right, bottom = boxes.T
    heights = bottom - top
    overlaps = np.minimum(bottom[1:], bottom[:-1]) - np.maximum(top[1:], top[:-1])
    beside = (overlaps > np.minimum(heights[1:], heights[:-1]) / 2) & (left[1:] >= left[:-1])
    starts = np.concatenate([[0], np.flatnonzero(~beside) + 1])
    lines = zip(
        np.minimum.reduceat(left, starts).tolist(),
        np.minimum.reduceat(top, starts).tolist(),
        np.maximum.reduceat(right, starts).tolist(),
        np.maximum.reduceat(bottom, starts).tolist(),
        strict=True,
    )
    return tuple(lines)


def _ends(records: NDArray[np.void]) -> NDArray[np.int64]:
    ends: NDArray[np.int64] = records["start"].astype(np.int64) + records["length"]
    return ends


def _boxes(records: NDArray[np.void], width_pt: float, height_pt: float) -> NDArray[np.float64]:
    boxes: NDArray[np.float64] = records["box"] / _STEPS * _scale(width_pt, height_pt)
    return boxes


def _scale(width_pt: float, height_pt: float) -> NDArray[np.float64]:
    return np.array([width_pt, height_pt, width_pt, height_pt]).clip(min=1e-6)
