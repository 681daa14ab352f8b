"""An answer's text cut into statements, each with the citations that stand behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_END = re.compile(r"[.!?。！？][\"”’)\]]*(?=\s|$)|\n+")
_ABBREVIATION = re.compile(
    r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|No|Inc|Ltd|Co|Corp|vs|etc|Fig|al|e\.g|i\.e|approx|U\.S)\.$"
)
_SAYS = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Statement:
    """
    A part of an answer that stands or falls together.

    Attributes:
        text: without markers.
        cites: the citations behind it, 0 for the first of the answer; several support it together.
    """

    text: str
    cites: tuple[int, ...]


def statements_of(text: str, markers: Sequence[int]) -> list[Statement]:
    """
    Cut an answer into sentences, and a sentence that cites in several places into the parts before each.

    Args:
        text: without markers.
        markers: for each citation, in order, the position in `text` at which it stands.

    Returns:
        Parts that say something; a citation behind a full stop belongs to the sentence that ends there.
    """
    statements: list[Statement] = []
    start = 0
    for end in _sentence_ends(text):
        if not _SAYS.search(text, start, end):
            continue
        gap = len(text[end:]) - len(text[end:].lstrip(" "))
        first = start + len(text[start:end]) - len(text[start:end].lstrip())
        inside = [i for i, at in enumerate(markers) if first < at <= end + gap]
        statements += _parts(text, start, end, [(markers[i], i) for i in inside])
        start = end
    return statements


def _parts(text: str, start: int, end: int, cited: Sequence[tuple[int, int]]) -> Iterator[Statement]:
    groups: list[tuple[int, list[int]]] = []
    for at, index in cited:
        if groups and not _SAYS.search(text, groups[-1][0], at):
            groups[-1][1].append(index)
        else:
            groups.append((at, [index]))
    for place, (at, members) in enumerate(groups or [(end, [])]):
        upto = end if place + 1 >= len(groups) else at
        yield Statement(" ".join(text[start:upto].split()), tuple(members))
        start = upto


def _sentence_ends(text: str) -> list[int]:
    ends = [
        match.end()
        for match in _END.finditer(text)
        if match.group().startswith("\n") or not _ABBREVIATION.search(text, 0, match.end())
    ]
    return ends if ends and ends[-1] == len(text) else [*ends, len(text)]
