"""
Text that has no pages, on pages: A4, one fixed-width type, so that every word has a place to point at.

The result depends on nothing but the text: a page drawn later is the page that was read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ragvl.indexers.readers.cleaning import clean_word
from ragvl.indexers.readers.markup import Paragraph
from ragvl.types import Block, BlockKind, Line, Word

PAGE_WIDTH_PT = 595.0
PAGE_HEIGHT_PT = 842.0
_MARGIN_PT = 54.0
_ADVANCE = 0.6  # width of a character, in sizes
_LEADING = 1.3  # distance of two lines, in sizes
_SIZES = {BlockKind.HEADING: 13.0}
_BODY_SIZE = 10.0
_GAP_PT = 8.0  # between blocks
_TAB = 4

Page = tuple[Block, ...]


@dataclass(slots=True)
class _Sheet:
    """The page being filled."""

    blocks: list[Block] = field(default_factory=list)
    y: float = _MARGIN_PT


def typeset(paragraphs: Iterable[Paragraph]) -> Iterator[Page]:
    """Lay out paragraphs on pages; a table row stays one line, however often it wraps."""
    sheet = _Sheet()
    for paragraph in paragraphs:
        if paragraph.new_page and sheet.blocks:
            yield tuple(sheet.blocks)
            sheet = _Sheet()
        size = font_size(paragraph.kind)
        height = size * _LEADING
        lines: list[Line] = []
        for row in _rows(paragraph, int((PAGE_WIDTH_PT - 2 * _MARGIN_PT) / (size * _ADVANCE))):
            if sheet.y + height * len(row) > PAGE_HEIGHT_PT - _MARGIN_PT and (lines or sheet.blocks):
                yield _close(sheet, paragraph.kind, lines)
                sheet, lines = _Sheet(), []
            words = tuple(_placed(row, sheet.y, size))
            sheet.y += height * len(row)
            if words:
                lines.append(Line(words))
        if lines:
            sheet.blocks.append(Block(paragraph.kind, tuple(lines)))
            sheet.y += _GAP_PT
    if sheet.blocks:
        yield tuple(sheet.blocks)


def font_size(kind: BlockKind) -> float:
    """Size of the type of a block, points."""
    return _SIZES.get(kind, _BODY_SIZE)


def columns_of(text: str) -> int:
    """Columns of fixed-width type that a text takes; East Asian characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _close(sheet: _Sheet, kind: BlockKind, lines: list[Line]) -> Page:
    if lines:
        sheet.blocks.append(Block(kind, tuple(lines)))
    return tuple(sheet.blocks)


_Placing = list[tuple[int, str]]  # words of one printed line, each with its column


def _rows(paragraph: Paragraph, width: int) -> Iterator[list[_Placing]]:
    """Rows of a paragraph, each as the printed lines that it takes."""
    if paragraph.kind is BlockKind.TABLE:
        starts = _column_starts(paragraph.rows, width)
        for row in paragraph.rows:
            yield _wrapped(_cells(row, starts), width)
    elif paragraph.flows:
        words = " ".join(cell for row in paragraph.rows for cell in row).split()
        yield from ([line] for line in _wrapped(((0, word) for word in words), width))
    else:
        for row in paragraph.rows:
            text = "  ".join(row).expandtabs(_TAB)
            indent = min(len(text) - len(text.lstrip()), width // 2)
            yield from ([line] for line in _wrapped(((indent, word) for word in text.split()), width))


def _column_starts(rows: tuple[tuple[str, ...], ...], width: int) -> list[int]:
    """Columns at which the cells of a table begin, or none when it is too wide to be aligned."""
    starts = [0]
    for index in range(max(map(len, rows))):
        widest = max((columns_of(row[index]) for row in rows if index < len(row)), default=0)
        starts.append(starts[-1] + widest + 2)
    return starts if starts[-1] - 2 <= width else []


def _cells(row: tuple[str, ...], starts: list[int]) -> Iterator[tuple[int, str]]:
    for index, cell in enumerate(row):
        for word in cell.split():
            yield (starts[index] if starts else 0), word


def _wrapped(words: Iterable[tuple[int, str]], width: int) -> list[_Placing]:
    """Set words side by side, each not left of the column it asks for, on as many lines as it takes."""
    lines: list[_Placing] = [[]]
    column = 0
    for wanted, word in words:
        for part in _parts(word, width):
            start = max(column, wanted)
            if start + columns_of(part) > width and lines[-1]:
                lines.append([])
                start = min(wanted, max(0, width - columns_of(part)))
            lines[-1].append((start, part))
            column = start + columns_of(part) + 1
    return lines if lines[0] else []


def _parts(word: str, width: int) -> Iterator[str]:
    """A word, or the pieces of one that is longer than a line."""
    while columns_of(word) > width:
        count = width if word.isascii() else width // 2
        yield word[:count]
        word = word[count:]
    yield word


def _placed(lines: list[_Placing], y: float, size: float) -> Iterator[Word]:
    advance = size * _ADVANCE
    for number, line in enumerate(lines):
        top = y + number * size * _LEADING
        for column, raw in line:
            text = clean_word(raw)
            if text:
                x = _MARGIN_PT + column * advance
                yield Word(text, (x, top, x + columns_of(raw) * advance, top + size * 1.2))
