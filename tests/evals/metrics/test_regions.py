"""Overlap of boxes, by hand and against counted pixels."""

from __future__ import annotations

import random

import numpy as np
import pytest

from ragvl.evals.metrics import Overlap, overlap, score_regions
from ragvl.evals.metrics.regions import Box
from ragvl.evals.types import AnnotatedBox, SystemAnswer, SystemCitation

HALF = (0.0, 0.0, 0.5, 1.0)


def citing(*citations: tuple[str, tuple[Box, ...]]) -> SystemAnswer:
    """An answer that cites boxes on pages."""
    return SystemAnswer(
        "text", False, 0.5, tuple(SystemCitation(page, True, True, box) for page, box in citations)
    )


def test_a_shifted_box() -> None:
    """Half of each is shared: F1 1/2, IoU 1/3."""
    assert overlap([(0, 0, 2, 2)], [(1, 0, 3, 2)]) == Overlap(0.5, pytest.approx(1 / 3))


def test_unions_do_not_count_twice() -> None:
    """Boxes over each other, cut in two, or drawn from the other corner cover the same area."""
    square = [(0.0, 0.0, 4.0, 4.0)]
    for same in ([*square, (1, 1, 2, 2)], [(0, 0, 4, 3), (0, 2, 4, 4)], [(4, 4, 0, 0)], [(0, 4, 4, 0)]):
        assert overlap(same, square) == Overlap(1.0, 1.0)


def test_nothing_overlaps_nothing() -> None:
    """No boxes, boxes without area, boxes that only touch."""
    assert overlap([], []) == overlap([(1, 1, 1, 5)], []) == Overlap(0.0, 0.0)
    assert overlap([(0, 0, 1, 1)], [(1, 0, 2, 1)]) == Overlap(0.0, 0.0)
    assert overlap([], [(0, 0, 1, 1)]) == Overlap(0.0, 0.0)


def test_random_boxes_agree_with_counted_pixels() -> None:
    """Whole-numbered boxes, painted on a raster."""
    chance = random.Random(0)
    for _ in range(50):
        sides = [
            [tuple(chance.randint(0, 30) for _ in range(4)) for _ in range(chance.randint(0, 6))]
            for _ in range(2)
        ]
        one, other = (paint(boxes) for boxes in sides)
        shared, either = int((one & other).sum()), int((one | other).sum())
        found = overlap(*sides)
        assert found.iou == pytest.approx(shared / either if either else 0.0)
        assert found.f1 == pytest.approx(2 * shared / (one.sum() + other.sum()) if either else 0.0)


def paint(boxes: list[tuple[int, ...]]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """A raster of 30 by 30 in which the boxes are true."""
    raster = np.zeros((30, 30), dtype=np.bool_)
    for x0, y0, x1, y1 in boxes:
        raster[min(y0, y1) : max(y0, y1), min(x0, x1) : max(x0, x1)] = True
    return raster


def test_the_best_annotator_counts() -> None:
    """The left half is cited; one annotator drew the right half, another the left half in two boxes."""
    drawn = (
        AnnotatedBox("1", 50, 0, 100, 200),
        AnnotatedBox("2", 0, 0, 50, 100),
        AnnotatedBox("2", 0, 100, 50, 200),
    )
    scores = score_regions({("q", "p"): drawn}, {"q": citing(("p", (HALF,)))}, lambda page: (100, 200))
    assert scores == {"q": {"region_f1": 1.0, "region_iou": 1.0, "region_f1_cited": 1.0}}


def test_pages_without_a_cited_box_count_as_zero() -> None:
    """Two annotated pages, one cited with the right box, the other without any; a page nobody annotated is ignored."""
    drawn = (AnnotatedBox("1", 0, 0, 50, 200),)
    boxes = {("q", "p"): drawn, ("q", "other"): drawn, ("silent", "p"): drawn, ("nobody drew", "p"): ()}
    answers = {"q": citing(("p", (HALF,)), ("other", ()), ("elsewhere", (HALF,)))}
    assert score_regions(boxes, answers, lambda page: (100, 200)) == {
        "q": {"region_f1": 0.5, "region_iou": 0.5, "region_f1_cited": 1.0},
        "silent": {"region_f1": 0.0, "region_iou": 0.0},
    }


def test_sizes_are_asked_only_where_they_are_needed() -> None:
    """Opening a page's image is slow: not for a page that is not cited."""
    asked: list[str] = []

    def size_of(page: str) -> tuple[float, float]:
        asked.append(page)
        return 100, 100

    drawn = (AnnotatedBox("1", 0, 0, 50, 50),)
    score_regions({("q", "p"): drawn, ("q", "other"): drawn}, {"q": citing(("p", (HALF,)))}, size_of)
    assert asked == ["p"]


def test_boxes_end_at_the_edge_of_the_page() -> None:
    """What is cited beyond the edge does not exist."""
    scores = score_regions(
        {("q", "p"): (AnnotatedBox("1", 0, 0, 100, 100),)},
        {"q": citing(("p", ((-1.0, -1.0, 2.0, 2.0),)))},
        lambda page: (100, 100),
    )
    assert scores["q"]["region_f1"] == 1.0


def test_what_is_no_area_is_refused() -> None:
    """A coordinate that is no number, a page without a size."""
    with pytest.raises(ValueError, match="not a finite number"):
        overlap([(0, 0, float("nan"), 1)], [])
    with pytest.raises(ValueError, match="cannot be 0 x 100 pixels"):
        score_regions(
            {("q", "p"): (AnnotatedBox("1", 0, 0, 1, 1),)},
            {"q": citing(("p", (HALF,)))},
            lambda page: (0, 100),
        )
