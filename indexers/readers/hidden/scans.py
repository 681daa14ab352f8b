"""Invisible type over a picture of the same words: what OCR leaves on a scan, and what only looks like it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ragvl.indexers.readers.hidden.drawing import Drawing
from ragvl.indexers.readers.hidden.layer import TextLayer
from ragvl.types import BBox

_INK = 32.0  # difference to the ground, of 255, from which a pixel is ink
_MIN_INK = 0.02  # share of a word's box; a lone "l" has more
_MAX_GAP_INK = 0.75  # of the ink in the words, beyond which gaps are no gaps
_MIN_GAP_PX = 40  # width of all gaps of a page together, to judge by
_MAX_BLANK = 0.3  # share of a page's invisible words with nothing in their place, for it to be a scan
_MIN_BLANK_WORDS = 3
_TAKEN = 0.5  # share of a word that lies on visible type


def said_by_pixels(
    drawing: Drawing, layer: TextLayer, invisible: Sequence[int], others: Sequence[int]
) -> dict[int, bool | None]:
    """
    Whether the page shows something in the place of each invisible word, and nothing between them.

    Args:
        invisible: indexes of the words in question.
        others: those of the words that are visible by themselves.
    """
    lines: dict[tuple[int, int], list[int]] = {}
    taken = [layer.words[index][:4] for index in others]
    for index in invisible:
        lines.setdefault(layer.words[index][5:7], []).append(index)
    boxes = {index: layer.words[index][:4] for index in invisible}
    ink = {index: _ink(drawing, box) for index, box in boxes.items()}
    seen: dict[int, bool | None] = {}
    blank = sum(share < _MIN_INK for share in ink.values())
    is_scan = blank <= _MAX_BLANK * len(invisible)
    for members in lines.values():
        empty = sum(ink[index] < _MIN_INK for index in members)
        # On a scan OCR errs by a word here and there, and old print is faint: there a line must be all blank.
        blank_line = empty == len(members) >= _MIN_BLANK_WORDS if is_scan else 2 * empty > len(members)
        on_type = sum(sum(_overlap(boxes[index], other) for other in taken) > _TAKEN for index in members)
        seen |= dict.fromkeys(members, not blank_line and 2 * on_type <= len(members))
    shown = [[boxes[index] for index in members] for members in lines.values() if seen[members[0]]]
    return dict.fromkeys(invisible, False) if _runs_through(drawing, shown) else seen


def _runs_through(drawing: Drawing, lines: Sequence[Sequence[BBox]]) -> bool:
    """Whether a page has as much ink between its invisible words as in them: then it is that of other words."""
    gaps = [(a[2], max(a[1], b[1]), b[0], min(a[3], b[3])) for line in lines for a, b in pairwise(line)]
    spaces = [gap for gap in gaps if gap[2] > gap[0] and gap[3] > gap[1]]
    width = sum(gap[2] - gap[0] for gap in spaces) * drawing.scale
    if width < _MIN_GAP_PX:
        return False
    between = sum(_ink(drawing, gap) * (gap[2] - gap[0]) for gap in spaces) * drawing.scale / width
    words = [_ink(drawing, box) for line in lines for box in line]
    return bool(between > _MAX_GAP_INK * sum(words) / len(words))


def _ink(drawing: Drawing, box: BBox) -> float:
    """Share of a box that differs from its ground."""
    pixels = drawing.colours[drawing.place(box)]
    if not pixels.size:
        return 0.0
    ground = np.median(drawing.colours[drawing.place(box, 4)].reshape(-1, 3), axis=0)
    return float((np.abs(pixels - ground).max(axis=2) > _INK).mean())


def _overlap(box: BBox, other: BBox) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    area = max((box[2] - box[0]) * (box[3] - box[1]), 1e-6)
    return max(width, 0.0) * max(height, 0.0) / area
