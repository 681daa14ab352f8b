"""Headings: short lines that are set larger, or bolder, than the text around them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ragvl.indexers.readers.rows import Row
from ragvl.types import BlockKind

_MAX_ROWS = 3
_MAX_WORDS = 24
_SAME_SIZE = 0.98  # bold text counts from this share of the body's size


def split_headings(rows: list[Row], body_size: float, larger: float) -> Iterator[tuple[BlockKind, list[Row]]]:
    """
    Cut the rows of one block where its style changes.

    Args:
        body_size: of most of the page's text, points.
        larger: the ratio to the body's size from which a line is a heading.
    """
    for style, group in groupby(rows, lambda row: _style(row, body_size, larger)):
        held = list(group)
        short = len(held) <= _MAX_ROWS and sum(row.word_count for row in held) <= _MAX_WORDS
        letters = sum(
            char.isalpha() for row in held for run in row.runs for word in run.words for char in word.text
        )
        yield (BlockKind.HEADING if style and short and letters > 1 else BlockKind.TEXT), held


def _style(row: Row, body_size: float, larger: float) -> int:
    """0 for plain text, else a number that is the same for lines of one heading."""
    size = max(run.size for run in row.runs)
    if not all(run.upright for run in row.runs):
        return 0
    bold = all(run.bold for run in row.runs)
    if size >= larger * body_size or (bold and size >= _SAME_SIZE * body_size):
        return 1 + round(4 * size / body_size)
    return 0
