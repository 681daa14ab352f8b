"""Word boxes as the index stores them."""

from __future__ import annotations

import pytest

from ragvl.indexers.words import PlacedWord, line_boxes, pack_words, unpack_words
from ragvl.types import BBox

_WORDS = [
    PlacedWord(0, 5, (10.0, 10.0, 40.0, 20.0)),
    PlacedWord(6, 11, (45.0, 10.5, 80.0, 20.5)),
    PlacedWord(12, 17, (10.0, 25.0, 50.0, 35.0)),
]


def test_packing_keeps_spans_exactly_and_boxes_to_a_fiftieth_of_a_point() -> None:
    """What comes back is what went in, within the stated precision."""
    unpacked = unpack_words(pack_words(_WORDS, 595, 842), 595, 842)
    assert [(w.start, w.end) for w in unpacked] == [(w.start, w.end) for w in _WORDS]
    for got, put in zip(unpacked, _WORDS, strict=True):
        assert got.bbox_pt == pytest.approx(put.bbox_pt, abs=0.02)


def test_boxes_outside_the_page_are_clipped() -> None:
    """A word that hangs over the edge ends at the edge."""
    packed = pack_words([PlacedWord(0, 1, (-5.0, -5.0, 700.0, float("nan")))], 595, 842)
    x0, y0, x1, y1 = unpack_words(packed, 595, 842)[0].bbox_pt
    assert (x0, y0, x1, y1) == pytest.approx((0, 0, 595, 0), abs=0.02)


def _line_boxes(start: int, end: int) -> tuple[BBox, ...]:
    return line_boxes(pack_words(_WORDS, 595, 842), 595, 842, start, end)


def test_line_boxes_make_one_box_a_line() -> None:
    """Words beside one another share a box, words below begin a new one."""
    first, second = _line_boxes(0, 17)
    assert first == pytest.approx((10.0, 10.0, 80.0, 20.5), abs=0.02)
    assert second == pytest.approx((10.0, 25.0, 50.0, 35.0), abs=0.02)


def test_line_boxes_take_only_the_words_of_the_span() -> None:
    """A word that only touches the span is left out."""
    (only,) = _line_boxes(6, 11)
    assert only == pytest.approx((45.0, 10.5, 80.0, 20.5), abs=0.02)
    assert _line_boxes(5, 6) == ()


def test_no_words_pack_to_nothing() -> None:
    """A page without text takes no space."""
    assert pack_words([], 595, 842) == b""
    assert unpack_words(b"", 595, 842) == []
