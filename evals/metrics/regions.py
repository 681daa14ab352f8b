"""Cited boxes against the boxes that annotators drew."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragvl.evals.types import AnnotatedBox, SystemAnswer

__all__ = ["Box", "Overlap", "overlap", "score_regions"]

Box = tuple[float, float, float, float]  # x0, y0, x1, y1


@dataclass(frozen=True, slots=True)
class Overlap:
    """
    How two areas overlap, from 0 to 1.

    Attributes:
        f1: twice the area that they share over the sum of their areas (Dice); 0 when both are empty.
        iou: the area that they share over the area that either covers; 0 when both are empty.
    """

    f1: float
    iou: float


def overlap(one: Sequence[Box], other: Sequence[Box]) -> Overlap:
    """
    Compare the union of some boxes with the union of others.

    Exact up to float64: the plane is cut at the boxes' own edges, not into pixels. The corners of a box may come in
    either order.

    Raises:
        ValueError: a coordinate is not a finite number.
    """
    corners = np.array([*one, *other], dtype=np.float64).reshape(-1, 4)
    if not np.isfinite(corners).all():
        raise ValueError("a box has a coordinate that is not a finite number")
    x, y = np.sort(corners[:, 0::2], axis=1), np.sort(corners[:, 1::2], axis=1)
    columns, rows = np.unique(x), np.unique(y)
    areas = np.outer(np.diff(rows), np.diff(columns))
    in_one, in_other = (
        _covered(rows, columns, y[part], x[part]) for part in (slice(len(one)), slice(len(one), None))
    )
    shared, either = float(areas[in_one & in_other].sum()), float(areas[in_one | in_other].sum())
    return Overlap(2 * shared / (either + shared), shared / either) if either else Overlap(0.0, 0.0)


def score_regions(
    boxes: Mapping[tuple[str, str], tuple[AnnotatedBox, ...]],
    answers: Mapping[str, SystemAnswer],
    size_of: Callable[[str], tuple[float, float]],
) -> dict[str, dict[str, float]]:
    """
    Score the cited boxes of every query that has annotated pages, against the annotator that they meet best.

    Args:
        boxes: as in `EvalSet`.
        size_of: page id to the width and height, in pixels, that its annotated boxes are measured in; asked only for
            pages that are both annotated and cited with a box.

    Returns:
        Query id to "region_f1" and "region_iou", the mean over its annotated pages, where a page that is not cited
        with a box counts 0; and where any page is so cited, "region_f1_cited", the mean over these alone. What is
        cited on pages that nobody annotated does not count. Boxes are cut off at the edges of the page.

    Raises:
        ValueError: a page has no size, or a box has a coordinate that is not a finite number.
    """
    cited = {
        (query, page): drawn
        for query, answer in answers.items()
        for page, drawn in _cited_boxes(answer).items()
    }
    met: defaultdict[str, list[Overlap | None]] = defaultdict(list)
    for (query, page), drawn in boxes.items():
        if drawn:
            given = cited.get((query, page))
            met[query].append(_best(given, drawn, size_of(page)) if given else None)
    return {query: _means(overlaps) for query, overlaps in met.items()}


def _cited_boxes(answer: SystemAnswer) -> dict[str, list[Box]]:
    found: dict[str, list[Box]] = {}
    for citation in answer.citations:
        if citation.page and citation.boxes:
            found.setdefault(citation.page, []).extend(citation.boxes)
    return found


def _best(shares: Sequence[Box], drawn: Sequence[AnnotatedBox], size: tuple[float, float]) -> Overlap:
    width, height = size
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise ValueError(f"a page cannot be {width} x {height} pixels")
    given = [_inside((x0 * width, y0 * height, x1 * width, y1 * height), size) for x0, y0, x1, y1 in shares]
    by_annotator: dict[str, list[Box]] = {}
    for box in drawn:
        by_annotator.setdefault(box.annotator, []).append(_inside((box.x0, box.y0, box.x1, box.y1), size))
    return max((overlap(given, theirs) for theirs in by_annotator.values()), key=lambda each: each.iou)


def _inside(box: Box, size: tuple[float, float]) -> Box:
    (x0, y0, x1, y1), (width, height) = box, size
    return (min(max(x0, 0), width), min(max(y0, 0), height), min(max(x1, 0), width), min(max(y1, 0), height))


def _means(overlaps: Sequence[Overlap | None]) -> dict[str, float]:
    cited = [each for each in overlaps if each is not None]
    values = {
        "region_f1": math.fsum(each.f1 for each in cited) / len(overlaps),
        "region_iou": math.fsum(each.iou for each in cited) / len(overlaps),
    }
    if cited:
        values["region_f1_cited"] = math.fsum(each.f1 for each in cited) / len(cited)
    return values


def _covered(
    rows: NDArray[np.float64], columns: NDArray[np.float64], y: NDArray[np.float64], x: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(rows - 1, columns - 1) whether a cell between neighbouring edges lies in any of the boxes."""
    covered = np.zeros((max(len(rows) - 1, 0), max(len(columns) - 1, 0)), dtype=np.bool_)
    tops, bottoms = np.searchsorted(rows, y).T
    lefts, rights = np.searchsorted(columns, x).T
    for top, bottom, left, right in zip(tops, bottoms, lefts, rights, strict=True):
        covered[top:bottom, left:right] = True
    return covered
