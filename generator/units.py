"""The pieces of a page that can be quoted: sentences, table rows, and the words of a figure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ragvl.types import BlockKind, Hit, Passage

_SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"”’)\]]*\s+(?=[^\sa-z])|\n\n")
_ABBREVIATION = re.compile(
    r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|No|Inc|Ltd|Co|Corp|vs|etc|Fig|Eq|al|e\.g|i\.e|approx)\.$"
)
_AMOUNT = re.compile(r"[($€£-]*(?!(?:19|20)\d\d\b)\d[\d.,]*[)%]*")
_FIGURE_WORDS = 30
_MIN_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Unit:
    """
    Something that can be quoted exactly: `hit.page.text[start:end]`.

    Attributes:
        heading: the headings above it.
        columns: for a table row, the row that names its columns; "" when none does.
    """

    hit: Hit
    kind: BlockKind
    heading: str
    start: int
    end: int
    columns: str = ""

    @property
    def text(self) -> str:
        """The words of the page, line ends and all."""
        return self.hit.page.text[self.start : self.end]

    @property
    def in_place(self) -> str:
        """The words with what stands above them, as the encoder is given them."""
        return "\n".join(part for part in (self.heading, self.columns, self.text) if part)


def units_of(hit: Hit) -> list[Unit]:
    """Cut the best passages of a hit into units, in the order of the page."""
    units = []
    for passage in sorted(hit.passages, key=lambda passage: passage.start):
        spans = list(_spans(passage))
        columns = (
            _columns([passage.text[start:end] for start, end in spans])
            if _is_table(passage)
            else [""] * len(spans)
        )
        for (start, end), above in zip(spans, columns, strict=True):
            place = passage.start + start, passage.start + end
            units.append(Unit(hit, passage.kind, passage.heading, *place, above))
    return units


def _is_table(passage: Passage) -> bool:
    return passage.kind is BlockKind.TABLE


def _columns(rows: Sequence[str]) -> list[str]:
    """
    For each row of a table the row that names its columns, or "".

    Columns are named by a row without amounts that stands right above one with at least two; years are names.
    """
    amounts = [sum(bool(_AMOUNT.fullmatch(cell)) for cell in row.split()) for row in rows]
    named, columns = "", []
    for place, row in enumerate(rows):
        columns.append(named if amounts[place] else "")
        below = amounts[place + 1] if place + 1 < len(rows) else 0
        if not amounts[place] and below > 1 and len(row.split()) >= below:
            named = row
    return columns


def _spans(passage: Passage) -> Iterator[tuple[int, int]]:
    if passage.kind is BlockKind.TABLE:
        pieces = _split(passage.text, re.compile("\n+"))
    elif passage.kind is BlockKind.FIGURE:
        pieces = _windows(passage.text)
    else:
        pieces = _sentences(passage.text)
    return (span for span in _grown(passage.text, pieces) if passage.text[slice(*span)].strip())


def _split(text: str, separator: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    start = 0
    for match in separator.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if "\n\n" not in match.group() and _ABBREVIATION.search(text, start, match.start()):
            continue
        yield start, match.start() + len(match.group().rstrip())
        start = match.end()
    yield start, len(text)


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Join the short lines of a figure until they say something together."""
    start, words = 0, 0
    for line_start, line_end in _split(text, re.compile("\n+")):
        words += len(text[line_start:line_end].split())
        if words >= _FIGURE_WORDS:
            yield start, line_end
            start, words = line_end, 0
    if start < len(text):
        yield start, len(text)


def _grown(text: str, pieces: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join a piece too short to mean anything alone with the one after it."""
    held: int | None = None
    end = 0
    for start, end in pieces:
        begin = start if held is None else held
        begin += len(text[begin:end]) - len(text[begin:end].lstrip())
        if end - begin < _MIN_CHARACTERS:
            held = begin
            continue
        yield begin, end
        held = None
    if held is not None and end > held:
        yield held, end
