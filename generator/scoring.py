"""How well a unit answers a question: meaning, shared words, and whether it holds the kind of thing asked for."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ragvl.generator.units import Unit
from ragvl.indexers.analysis import query_terms, terms
from ragvl.protocols import TextEncoder
from ragvl.types import BlockKind

_NUMBER_ASKED = re.compile(
    r"\b(how (?:many|much|long|far|old|tall|often|large|big|high|fast)|what (?:is|was|are|were) the (?:\w+ )*?"
    r"(?:number|percentage|percent|share|amount|total|revenue|income|cost|price|value|rate|ratio|size|age)|"
    r"percentage|percent|when|what year|which year|what date|what time)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d")
_MAX_ENCODED = 64

_WEIGHT_MEANING, _WEIGHT_WORDS, _WEIGHT_KIND, _WEIGHT_PAGE = 0.25, 0.125, 0.125, 0.5
_UNRELATED_COSINE = 0.5
_TITLE_WORDS = 9
_TITLE_SAYS = 0.6


@dataclass(frozen=True, slots=True)
class ScoredUnit:
    """
    A unit and how well it answers; every part from 0 to 1.

    Attributes:
        meaning: cosine to the question, from that of unrelated texts up.
        coverage: share of the question's words, by their weight, that the unit or its headings hold.
        kind: 1 unless the question asks for a number and the unit holds none.
        page: the page's score as a share of the best page's.
        says: 1 for a statement, less for what only names a subject, as a heading does.
    """

    unit: Unit
    meaning: float
    coverage: float
    kind: float
    page: float
    says: float = 1.0

    @property
    def score(self) -> float:
        """The parts, weighted."""
        return self.own + _WEIGHT_PAGE * self.page

    @property
    def own(self) -> float:
        """The parts that are the unit's and not its page's."""
        parts = _WEIGHT_MEANING * self.meaning + _WEIGHT_WORDS * self.coverage + _WEIGHT_KIND * self.kind
        return self.says * parts


def score_units(question: str, units: Sequence[Unit], encoder: TextEncoder) -> list[ScoredUnit]:
    """Score units, best first; ties in the order given."""
    if not units:
        return []
    coverage = _coverage(question, units)
    best_page = max(unit.hit.score for unit in units) or 1.0
    pages = [unit.hit.score / best_page for unit in units]
    # Encoding costs the most: leave out what neither words nor page speak for.
    chosen = sorted(range(len(units)), key=lambda i: (-(coverage[i] + pages[i]), i))[:_MAX_ENCODED]
    vectors = encoder.encode_passages([units[i].in_place for i in chosen])
    cosines = vectors @ encoder.encode_queries([question])[0]
    meaning = np.clip((cosines - _UNRELATED_COSINE) / (1 - _UNRELATED_COSINE), 0, 1)
    wants_number = bool(_NUMBER_ASKED.search(question))
    scored = [
        ScoredUnit(
            unit=units[i],
            meaning=float(value),
            coverage=coverage[i],
            kind=float(not wants_number or bool(_NUMBER.search(units[i].text))),
            page=pages[i],
            says=_TITLE_SAYS if _is_title(units[i], wants_number) else 1.0,
        )
        for i, value in zip(chosen, meaning, strict=True)
    ]
    return sorted(scored, key=lambda one: -one.score)


def _is_title(unit: Unit, wants_number: bool) -> bool:
    """Whether a unit only names a subject: a few words without a full stop, or without the number asked for."""
    text = unit.text.strip()
    short = len(text.split()) <= _TITLE_WORDS and text[-1:] not in ".!?"
    prose = unit.kind in {BlockKind.TEXT, BlockKind.HEADING}
    return prose and short and not (wants_number and _NUMBER.search(text))


def _coverage(question: str, units: Sequence[Unit]) -> list[float]:
    """Words weigh by how few of the units hold them; what only a heading or title holds counts half."""
    asked = [stem(term) for term in query_terms(question)]
    own = [{stem(term) for term in terms(unit.text)} for unit in units]
    above = [
        {
            stem(term)
            for term in terms(
                f"{unit.heading} {unit.columns} {unit.hit.page.document.title} {unit.hit.page.document.path}"
            )
        }
        for unit in units
    ]
    seen = Counter(term for held in own for term in held)
    weights = {term: math.log(1 + len(units) / (1 + seen[term])) for term in asked}
    total = sum(weights.values()) or 1.0
    return [
        sum(weights[term] * (1.0 if term in held else 0.5 if term in near else 0.0) for term in weights)
        / total
        for held, near in zip(own, above, strict=True)
    ]


def stem(term: str) -> str:
    """A crude stem, enough to match plurals and verb forms of one another."""
    for ending in ("ations", "ation", "ings", "ing", "edly", "ies", "ied", "ed", "es", "s", "ly"):
        if term.endswith(ending) and len(term) - len(ending) >= 4:
            return term[: -len(ending)]
    return term
