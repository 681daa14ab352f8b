"""Rows: cells that stand on one baseline become one line, however far apart the engine has put them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ragvl.types import Line, Word

_SAME_BASELINE = 0.6  # share of the lower of two heights that must overlap
_PROSE_WORDS = 5  # mean words a line from which a block of several lines is prose
_COLUMN_GAP = 1.5  # between columns of text, in font sizes
_COLUMN_LINES = 4  # lines of prose on both sides that make two columns of a page
_COLUMN_WORDS = 4  # words that make such a line prose
_SAME_COLUMN = 0.6  # between the left edges of two lines of one column, in font sizes
_CELL_GAP = 1.0  # gap between two cells, in font sizes; less is a space
_NUMBER_SIGNS = frozenset("0123456789.,$€£¥%()+-\u2012\u2013\u2014\u2212/*:#<>~±xX ")
_WORDS_FOR_NONE = frozenset({"n/a", "na", "nm", "n.m.", "-", "none", "nil"})
_BULLETS = frozenset("o§•‣◦▪▫●○■□◆➢➤✓✔*-–—·\u2023\uf0b7\uf0a7")


@dataclass(frozen=True, slots=True)
class Run:
    """
    Words that the engine holds to be one line.

    Attributes:
        order: position in the engine's reading order.
        block: the engine's block.
        size: font size in points.
    """

    order: int
    block: int
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    bold: bool
    upright: bool
    words: tuple[Word, ...]

    @property
    def is_number(self) -> bool:
        """Whether nothing but figures, signs and words such as "n/a" stands here."""
        return all(_is_number(word.text) for word in self.words)


@dataclass(frozen=True, slots=True)
class Row:
    """Runs on one baseline, from left to right."""

    runs: tuple[Run, ...]

    @property
    def order(self) -> int:
        """Where the row stands in the engine's reading order."""
        return min(run.order for run in self.runs)

    @property
    def y0(self) -> float:
        """Upper edge."""
        return min(run.y0 for run in self.runs)

    @property
    def y1(self) -> float:
        """Lower edge."""
        return max(run.y1 for run in self.runs)

    @property
    def word_count(self) -> int:
        """Number of words."""
        return sum(len(run.words) for run in self.runs)

    @property
    def cell_count(self) -> int:
        """Number of cells; a bullet or an item's number is none."""
        cells = 0
        right: float | None = None
        for index, run in enumerate(self.runs):
            if right is None or run.x0 - right > _CELL_GAP * run.size:
                cells += 1
            right = max(run.x1, right or run.x1)
            if index == 0 and _is_marker(run):
                cells, right = 0, None
        return cells

    def line(self) -> Line:
        """The words of all cells."""
        return Line(tuple(word for run in self.runs for word in run.words))


def join_cells(runs: list[Run]) -> list[Row]:
    """Join runs that are cells of one row; the rows come in the engine's order."""
    prose = _prose_blocks(runs)
    rows = [Row((run,)) for run in runs if not run.upright]
    bands = list(_bands(run for run in runs if run.upright))
    gutters = _gutters(bands)
    for band in bands:
        held = [band[0]]
        for run in band[1:]:
            if _belong(held[-1], run, prose) and not any(gutter.parts(held[-1], run) for gutter in gutters):
                held.append(run)
            else:
                rows.append(Row(tuple(held)))
                held = [run]
        rows.append(Row(tuple(held)))
    return sorted(rows, key=lambda row: row.order)


@dataclass(frozen=True, slots=True)
class _Gutter:
    """The white between two columns of text: the right one's left edge, and how far up and down it goes."""

    x0: float
    y0: float
    y1: float
    size: float

    def parts(self, left: Run, right: Run) -> bool:
        """Whether two neighbours stand on the two sides of it."""
        beside = abs(right.x0 - self.x0) < _SAME_COLUMN * self.size and left.x1 < right.x0
        return beside and self.y0 <= right.y0 and right.y1 <= self.y1


def _gutters(bands: list[list[Run]]) -> list[_Gutter]:
    """
    Find columns of text whose lines happen to share baselines.

    Where most lines hold several words of prose on both sides of a gap that stays in one place, the gap parts
    columns, and a short line there (a heading, the last of a paragraph) is no label of a table either.
    """
    starts: dict[int, list[tuple[Run, Run]]] = {}
    for band in bands:
        for left, right in pairwise(band):
            if right.x0 - left.x1 > _CELL_GAP * left.size:
                starts.setdefault(round(right.x0 / max(right.size, 1.0)), []).append((left, right))
    found = []
    for pairs in starts.values():
        prose = sum(min(_prose_words(left), _prose_words(right)) >= _COLUMN_WORDS for left, right in pairs)
        if prose >= _COLUMN_LINES and 2 * prose >= len(pairs):
            rights = [right for _, right in pairs]
            top, bottom = min(run.y0 for run in rights), max(run.y1 for run in rights)
            found.append(_Gutter(min(run.x0 for run in rights), top, bottom, rights[0].size))
    return found


def _prose_words(run: Run) -> int:
    return sum(any(char.isalpha() for char in word.text) for word in run.words)


@dataclass(frozen=True, slots=True)
class _BlockShape:
    lines: int
    is_prose: bool


def _prose_blocks(runs: list[Run]) -> dict[int, _BlockShape]:
    lines: Counter[int] = Counter()
    words: Counter[int] = Counter()
    for run in runs:
        lines[run.block] += 1
        words[run.block] += sum(not _is_number(word.text) for word in run.words)
    return {
        block: _BlockShape(count, count > 1 and words[block] >= _PROSE_WORDS * count)
        for block, count in lines.items()
    }


def _bands(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """Group runs by baseline, each band from left to right."""
    open_bands: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: run.y0 + run.y1):
        for band in open_bands:
            if _share_baseline(band[-1], run):
                band.append(run)
                break
        else:
            open_bands.append([run])
        # Runs come by their middle: a band that lies wholly above can take no more.
        for band in [band for band in open_bands if band[-1].y1 <= run.y0]:
            yield sorted(band, key=lambda run: run.x0)
            open_bands.remove(band)
    for band in open_bands:
        yield sorted(band, key=lambda run: run.x0)


def _share_baseline(a: Run, b: Run) -> bool:
    overlap = min(a.y1, b.y1) - max(a.y0, b.y0)
    return overlap >= _SAME_BASELINE * min(a.y1 - a.y0, b.y1 - b.y0)


def _belong(left: Run, right: Run, shapes: dict[int, _BlockShape]) -> bool:
    """Whether two neighbours on one baseline are parts of one line or cells of one row."""
    if left.block == right.block:
        # Two columns that the engine took for one block: long text on both sides of a wide gap.
        apart = right.x0 - left.x1 > _COLUMN_GAP * left.size
        return not (apart and min(len(left.words), len(right.words)) >= _PROSE_WORDS)
    if right.x0 < left.x1 - left.size or not 0.6 < left.size / max(right.size, 1e-6) < 1.7:
        return False
    a, b = shapes[left.block], shapes[right.block]
    if a.is_prose or b.is_prose:
        # A label that wraps, with its figures beside it; never two columns of text.
        return not b.is_prose and right.is_number and a.lines <= 3
    if right.is_number or left.is_number or _is_marker(left):
        return True
    return a.lines == b.lines == 1 or (a.lines == b.lines and len(right.words) <= 4)


def _is_number(text: str) -> bool:
    return _NUMBER_SIGNS.issuperset(text) or text.lower() in _WORDS_FOR_NONE


def _is_marker(run: Run) -> bool:
    """Whether a run is a bullet or the number of an item, such as "•", "1." or "(a)"."""
    if len(run.words) != 1:
        return False
    text = run.words[0].text
    return text in _BULLETS or (len(text) <= 4 and text[-1:] in ".)" and text.strip("().").isalnum())
