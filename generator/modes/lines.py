"""What a model wrote line by line: plain text, the pages that each line cites, and whether they say it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ragvl.generator.grounding.evidence import find_evidence
from ragvl.generator.grounding.filtering import Cited, OutputFilter
from ragvl.generator.grounding.statements import statements_of
from ragvl.types import Citation, Hit

_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,3}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line of what a model wrote.

    Attributes:
        text: without labels, links and HTML.
        cites: positions in the text, and the label that stood there.
    """

    text: str
    cites: tuple[tuple[int, str], ...]

    @property
    def labels(self) -> frozenset[str]:
        """The pages cited."""
        return frozenset(label for _, label in self.cites)

    def marked(self) -> str:
        """The text with its labels in their places."""
        marked = self.text
        for at, label in reversed(self.cites):
            marked = f"{marked[:at]}[{label}]{marked[at:]}"
        return marked


def lines_of(text: str, labels: Collection[str]) -> tuple[list[Line], int]:
    """
    Cut into lines what a model wrote.

    Args:
        text: all of it.
        labels: of the pages that it was shown; others are dropped.

    Returns:
        Lines that say something, and how many labels were dropped.
    """
    lines, unknown = [], 0
    for raw in text.splitlines():
        passed = OutputFilter(labels)
        said, cites = "", []
        for piece in [*passed.feed(_BULLET.sub("", raw).strip()), *passed.finish()]:
            if isinstance(piece, Cited):
                cites.append((len(said), piece.label))
            else:
                said += piece
        unknown += passed.unknown
        if re.search(r"\w", said):
            lines.append(Line(said, tuple(cites)))
    return lines, unknown


def cited_places(line: Line, pages: Mapping[str, Hit], question: str) -> dict[str, Citation]:
    """
    Look for a line on each page that it cites, statement by statement.

    Args:
        line: whose labels are all among `pages`.
        pages: by label, each with all its passages.
        question: what was asked.

    Returns:
        By label; of a page that is cited twice, a place that was found goes before one that was not.
    """
    found: dict[str, Citation] = {}
    for statement in statements_of(line.text, [at for at, _ in line.cites]):
        labels = [line.cites[place][1] for place in statement.cites]
        for label in dict.fromkeys(labels):
            beside = [pages[other] for other in sorted(set(labels) - {label})]
            citation = find_evidence(statement.text, question, pages[label], beside).citation
            if label not in found or (citation.verified and not found[label].verified):
                found[label] = citation
    for label in line.labels - found.keys():
        page = pages[label].page
        found[label] = Citation(page.document, page.number, (), "", verified=False)
    return found
