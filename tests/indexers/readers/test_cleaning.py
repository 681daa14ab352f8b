"""What may stand in the text of a word."""

from __future__ import annotations

import pytest

from ragvl.indexers.readers.cleaning import clean_word
from ragvl.indexers.readers.order import blocks_of, reading_order
from ragvl.indexers.text_layers import is_readable


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("a\x00b\x07", "ab"),
        ("\u200b\ufeff", ""),
        ("\u200d", ""),
        ("e\u0301", "\u00e9"),
        ("hyphen\u00ad", "hyphen-"),
        ("soft\u00adhyphen", "softhyphen"),
        ("Gourmet.........C4", "Gourmet…C4"),
        ("\ufffd", "\ufffd"),
        ("\ud800x", "x"),
        ("क्\u200dष", "क्\u200dष"),
    ],
)
def test_invisible_characters_go(given: str, expected: str) -> None:
    """What is left is visible, composed, and can be written as UTF-8."""
    assert expected == clean_word(given)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["The", "revenue", "grew"], True),
        (["12", "$", "6,779"], True),
        ([], False),
        (["(cid:12)(cid:7)", "(cid:3)"], False),
        (["\ufffd\ufffd\ufffd", "ab"], False),
        (["\ue001\ue002\ue003\ue004", "a"], False),
        (["7KH", "PDUNHW", "VKDUH", "JUHZ"] * 8, False),
        (['!"#$', "%&'(", ")*+,"] * 10, False),
        (["売上高は前年比", "で増加した"], True),
        (["Profit………………12"] * 20, True),
    ],
)
def test_layers_without_meaning_are_not_used(words: list[str], expected: bool) -> None:
    """Text that only looks like text is read by OCR instead."""
    assert expected is is_readable(words)


def test_columns_are_read_one_after_the_other() -> None:
    """A heading over two columns comes first, then the left column down to its end."""
    heading, left_top, left_low = (0.0, 0.0, 200.0, 10.0), (0.0, 20.0, 90.0, 60.0), (0.0, 70.0, 90.0, 99.0)
    right = (110.0, 20.0, 200.0, 99.0)
    assert reading_order([left_low, heading, right, left_top]) == [1, 3, 0, 2]


def test_lines_of_one_paragraph_are_one_block() -> None:
    """Lines close under each other belong together; a gap or another column parts them."""
    lines = [
        (0.0, 0.0, 90.0, 10.0),
        (0.0, 12.0, 90.0, 22.0),
        (0.0, 60.0, 90.0, 70.0),
        (110.0, 0.0, 200.0, 10.0),
    ]
    assert sorted(blocks_of(lines)) == [[0, 1], [2], [3]]
