"""Questions from table rows: what a row names, in the year or column that stands above one of its figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragvl.evals.drafting.draft import Draft, one_line
from ragvl.evals.drafting.english import Spelling, is_plural, telling_words
from ragvl.generator.units import Unit
from ragvl.indexers.words import PlacedWord

__all__ = ["from_row"]

_AMOUNT = re.compile(r"[(–-]?(?:[€$£]|US\$)?\d[\d,]*(?:\.\d+)?\)?%?")
_YEAR = re.compile(r"(?:FY\s?)?(?:19|20)\d\d")
_LABEL = re.compile(r"[^\W\d_][^\d*†‡|]{2,58}")
_UNIT = re.compile(
    r"(?:in )?(?:[€$£]|EUR|USD|GBP|US\$)?\s?\b(?:thousands?|millions?|billions?)\b(?: of \w+| [a-z]+$)?(?: [€$£])?|[€$£]m\b",
    re.IGNORECASE,
)
_BARE = re.compile("thousand|million|billion", re.IGNORECASE)
_CURRENCY = re.compile(r",?\s*\(?\b(EUR|USD|GBP|CHF|[€$£])\)?$")
_MEASURES = frozenset((
    "profit", "loss", "income", "revenue", "revenues", "sales", "expenditure", "expenditures",
    "expenses", "expense", "cost", "costs", "tax", "taxes", "assets", "liabilities", "equity",
    "earnings", "margin", "ratio", "rate", "depreciation", "amortization", "capital", "debt",
    "dividends", "share", "number", "total", "average", "price", "population", "amount", "balance",
    "turnover", "emissions", "receivables", "payables", "inventories", "goodwill", "investment",
    "investments", "spending", "budget",
))  # fmt: skip
_VAGUE = frozenset((
    "total", "totals", "subtotal", "other", "others", "net", "gross", "all", "average", "sum", "none",
    "n/a",
))  # fmt: skip
_RATIO = re.compile(r"\b(?:margin|rate|ratio|percentage|share|per)\b|%", re.IGNORECASE)
_ODD = re.compile(r"[_/\\=<>{}@]|www\.|\.\w")  # code, addresses and formulas are no labels
_SMALL = frozenset((
    "of", "and", "the", "for", "in", "on", "to", "from", "by", "at", "before", "after", "per", "net",
    "or", "with",
))  # fmt: skip
_APART = 0.9  # a gap wider than this share of the line's height parts two cells
_UNDER = (
    0.35  # a figure this near to a column's edge or middle, as a share of the columns' distance, is of it
)
_NATURAL, _STIFF = 2.5, 1.2
_FEWEST_CORNER_WORDS, _MAX_CORNER_WORDS = 2, 4
_FEWEST_CAPTION_WORDS, _MAX_CAPTION_WORDS = 2, 10


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    x0: float
    x1: float

    @property
    def centre(self) -> float:
        return (self.x0 + self.x1) / 2


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above a row: the columns, the words left of them, and the line over them."""

    columns: tuple[_Cell, ...]
    corner: str
    caption: str


def from_row(unit: Unit, words: Sequence[PlacedWord], document: str, spelling: Spelling) -> Iterator[Draft]:
    """
    Propose a question for each figure of a table row that stands under a year, or under another name.

    Args:
        words: of the page, in the order of its text.
        document: path to put into the draft.
    """
    text = unit.hit.page.text
    named_at = text.rfind(unit.columns, 0, unit.start) if unit.columns else -1
    if named_at < 0:
        return
    label, amounts = _label_and_amounts(_cells(words, text, unit.start, unit.end))
    head = _head(words, text, named_at, named_at + len(unit.columns))
    if not _is_label(label) or len({cell.text for cell in head.columns}) < 2:
        return
    for column, amount in _pairs(head.columns, amounts):
        question, worth = _question(label, column.text, amount.text, head, spelling)
        if telling_words(question) > 1:
            yield Draft(question, amount.text, document, "table", unit, worth)


def _cells(words: Sequence[PlacedWord], text: str, start: int, end: int) -> list[_Cell]:
    """Join the words of a line that stand close together; each year and each amount is a cell of its own."""
    cells: list[_Cell] = []
    for word in words:
        if word.end <= start or word.start >= end:
            continue
        x0, y0, x1, y1 = word.bbox_pt
        said = text[word.start : word.end]
        apart = not cells or _AMOUNT.fullmatch(said) or _AMOUNT.fullmatch(cells[-1].text)
        if not apart and -1 < x0 - cells[-1].x1 < _APART * (y1 - y0):
            cells[-1] = _Cell(f"{cells[-1].text} {said}", cells[-1].x0, x1)
        else:
            cells.append(_Cell(said, x0, x1))
    return cells


def _head(words: Sequence[PlacedWord], text: str, start: int, end: int) -> _Head:
    start = max(start, text.rfind("\n", start, end) + 1)
    cells = _cells(words, text, start, end)
    years = tuple(cell for cell in cells if _YEAR.fullmatch(cell.text))
    columns = years if len(years) > 1 else tuple(cells[1:])
    corner = " ".join(cell.text for cell in cells if columns and cell.x1 < columns[0].x0)
    above = one_line(text[:start].rstrip().rpartition("\n")[2])
    is_caption = (
        len(above.split()) <= _MAX_CAPTION_WORDS
        and above[:1].isalpha()
        and not _ODD.search(above)
        and above[-1] not in ".:;,?"
    )
    return _Head(columns, corner, above if is_caption else "")


def _label_and_amounts(row: Sequence[_Cell]) -> tuple[str, list[_Cell]]:
    """Take a row apart: one label on the left, nothing but amounts on the right; else no label."""
    amounts = [cell for cell in row if _AMOUNT.fullmatch(cell.text)]
    named = [cell for cell in row if not _AMOUNT.fullmatch(cell.text) and cell.text not in "€$£–-—%"]
    if len(named) != 1 or not amounts or named[0].x1 > min(cell.x0 for cell in amounts):
        return "", []
    return named[0].text.strip(" .:"), amounts


def _is_label(label: str) -> bool:
    words = label.lower().split()
    if words[:1] in (["less"], ["plus"]):
        return False
    return bool(
        _LABEL.fullmatch(label)
        and not _ODD.search(label)
        and len(words) <= 8
        and not all(word in _VAGUE | _SMALL for word in words)
    )


def _pairs(columns: Sequence[_Cell], amounts: Sequence[_Cell]) -> Iterator[tuple[_Cell, _Cell]]:
    """Put to each column the one amount that stands under it; none when a second could."""
    pitch = min(abs(b.centre - a.centre) for a, b in pairwise(columns))
    for column in columns:
        under = [
            amount
            for amount in amounts
            if min(abs(amount.x1 - column.x1), abs(amount.centre - column.centre)) < _UNDER * pitch
        ]
        named = _YEAR.fullmatch(column.text) or len(amounts) == len(columns)
        if len(under) == 1 and named and re.search(r"[^\W\d_]{2}|\d{4}", column.text):
            yield column, under[0]


def _question(label: str, column: str, amount: str, head: _Head, spelling: Spelling) -> tuple[str, float]:
    """Ask for a figure, and say how natural the question is."""
    name = spelling.plain(label)
    words = name.lower().split()
    noun = _noun(words)
    measured = _measured(label, amount, head)
    if _YEAR.fullmatch(column) and (words[0] in {"number", "total"} or noun in _MEASURES):
        verb = "were" if is_plural(noun) and words[0] != "number" else "was"
        article = "" if words[0] in {"the", "our"} else "the "
        return f"What {verb} {article}{name} in {column}{measured}?", _NATURAL
    if not _YEAR.fullmatch(column):
        return _under(label, column, head, spelling), _STIFF / 2
    about = _about(head)
    where = f" ({spelling.plain(about)})" if about else ""
    return f"What was the figure for “{label}” in {column}{measured}{where}?" if about else "", _STIFF


def _under(label: str, column: str, head: _Head, spelling: Spelling) -> str:
    """Ask for the figure under a column, where the table's corner says what its figures are; else nothing."""
    currency = _CURRENCY.search(head.corner)
    told = _CURRENCY.sub("", head.corner).strip(" ,()")
    fits = _FEWEST_CORNER_WORDS <= len(told.split()) <= _MAX_CORNER_WORDS
    if not fits or not told.replace(" ", "").isalpha():
        return ""
    unit = f", in {currency[1]}" if currency else ""
    return f"What is the {spelling.plain(told)} for “{label}” under “{column}”{unit}?"


def _measured(label: str, amount: str, head: _Head) -> str:
    """Name the unit of a table's figures, where this one does not have its own."""
    if _UNIT.search(label) or _RATIO.search(label) or re.search("[%€$£]", amount):
        return ""
    unit = _UNIT.search(head.corner) or _UNIT.search(head.caption)
    if not unit:
        return ""
    named = re.sub(r"^in\s+", "", unit[0].strip(), flags=re.IGNORECASE)
    return f", in {named}{'s' if _BARE.fullmatch(named) else ''}"


def _about(head: _Head) -> str:
    """Say what a table is about: the line over it, without the unit; a short one is likely to be a column's."""
    told = _UNIT.sub("", head.caption).strip(" ,()")
    return told if len(told.split()) >= _FEWEST_CAPTION_WORDS else ""


def _noun(words: Sequence[str]) -> str:
    """The noun that a label is about: the last word before "of", "for" and the like."""
    for at, word in enumerate(words):
        if at and word in _SMALL and word not in {"and", "or", "net"}:
            return words[at - 1].strip(",()")
    return words[-1].strip(",()")
