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
    boxes = records["box"] / _STEPS * _scale(width_pt, height_pt)
    ends = records["start"].astype(np.int64) + records["length"]
    return [
        PlacedWord(int(start), int(end), (float(x0), float(y0), float(x1), float(y1)))
        for start, end, (x0, y0, x1, y1) in zip(records["start"], ends, boxes, strict=True)
    ]


def line_boxes(words: Sequence[PlacedWord], start: int, end: int) -> tuple[BBox, ...]:
    """Boxes of the text from `start` to `end`, one a line; a new line begins where the next word is not beside."""
    boxes: list[BBox] = []
    for word in words:
        if word.end <= start or word.start >= end:
            continue
        if boxes and _beside(boxes[-1], word.bbox_pt):
            boxes[-1] = _union(boxes[-1], word.bbox_pt)
        else:
            boxes.append(word.bbox_pt)
    return tuple(boxes)


def _beside(line: BBox, word: BBox) -> bool:
    overlap = min(line[3], word[3]) - max(line[1], word[1])
    height = min(line[3] - line[1], word[3] - word[1])
    return overlap > height / 2 and word[2] > line[0] and word[0] >= line[0]


def _union(a: BBox, b: BBox) -> BBox:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _scale(width_pt: float, height_pt: float) -> NDArray[np.float64]:
    return np.array([width_pt, height_pt, width_pt, height_pt]).clip(min=1e-6)
