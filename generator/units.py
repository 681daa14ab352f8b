"""The pieces of a page that can be quoted: sentences, table rows, and the words of a figure."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    """Something that can be quoted exactly: `hit.page.text[start:end]`."""

    hit: Hit
    kind: BlockKind
    heading: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """The words of the page, line ends and all."""
        return self.hit.page.text[self.start : self.end]


def units_of(hit: Hit) -> list[Unit]:
    """Cut the best passages of a hit into units, in the order of the page."""
    units = []
    for passage in sorted(hit.passages, key=lambda passage: passage.start):
        above = passage.heading
        for start, end in _spans(passage):
            units.append(Unit(hit, passage.kind, above, passage.start + start, passage.start + end))
            if (
                passage.kind is BlockKind.TABLE
                and above == passage.heading
                and _is_header(passage.text[start:end])
            ):
                above = f"{passage.heading}\n{passage.text[start:end]}"
    return units


def _is_header(row: str) -> bool:
    """Whether a table row names columns: at least two cells, and no amounts among them (years are names)."""
    return len(row.split()) > 1 and not any(_AMOUNT.fullmatch(cell) for cell in row.split())


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
