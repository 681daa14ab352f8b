"""A question proposed from a page, with the answer that the page gives."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ragvl.generator.units import Unit
from ragvl.indexers.words import line_boxes
from ragvl.types import BBox

__all__ = ["Draft", "answer_format", "one_line"]

_AROUND = 260  # characters of the page on either side of a quote


@dataclass(frozen=True, slots=True)
class Draft:
    """
    A proposal; a person decides whether it is a question.

    Attributes:
        document: path of its document, relative to the folder of documents, "/" between parts; "" for a question
            that the documents do not answer.
        kind: "table", "text", or "none" for a question that the documents do not answer.
        source: the sentence or table row that the answer was taken from; None where there is no answer.
        worth: how much it reads like a question of a person who has not seen the page; more is better.
    """

    question: str
    answer: str
    document: str
    kind: str
    source: Unit | None
    worth: float

    @property
    def answerable(self) -> bool:
        """Whether the documents answer it."""
        return self.source is not None

    @property
    def page(self) -> int:
        """Page number from 1; 0 for a question that the documents do not answer."""
        return self.source.hit.page.number if self.source else 0

    @property
    def start(self) -> int:
        """Where the quote begins in the page's text."""
        return self.source.start if self.source else 0

    @property
    def quote(self) -> str:
        """The words that the answer was taken from, as the page has them."""
        return self.source.text.strip() if self.source else ""

    @property
    def excerpt(self) -> str:
        """The quote with the words of the page around it."""
        if self.source is None:
            return ""
        text = self.source.hit.page.text
        start, end = max(0, self.source.start - _AROUND), min(len(text), self.source.end + _AROUND)
        start = text.find(" ", start, self.source.start) + 1 if start else 0
        end = max(text.rfind(" ", self.source.end, end), self.source.end) if end < len(text) else end
        return text[start:end].strip()

    @property
    def boxes_pt(self) -> tuple[BBox, ...]:
        """Where the quote stands on its page, one box a line."""
        if self.source is None:
            return ()
        page = self.source.hit.page
        return line_boxes(page.words, page.width_pt, page.height_pt, self.source.start, self.source.end)


def one_line(text: str) -> str:
    """Put text on one line."""
    return " ".join(text.split())


def answer_format(answer: str) -> str:
    """Name the format of an answer as MMLongBench-Doc does: "Int", "Float", "Str", or "None" for no answer."""
    if not answer:
        return "None"
    if re.fullmatch(r"\d[\d,]*", answer):
        return "Int"
    return "Float" if re.fullmatch(r"[-–]?[\d,]*\.\d+|[-–]?[\d,]*\.?\d+\s?%", answer) else "Str"
