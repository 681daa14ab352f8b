"""
Does a page say what a statement says? Amounts and names must all be there, and enough of the words.

A statement is compared with windows of its page: a sentence or table row, or two that follow each other, together
with the row that names the columns and the headings above. The window that holds most of the statement is what the
citation points at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ragvl.generator.citations import cite_quote, cite_span, one_line
from ragvl.generator.grounding.facts import Amount, Facts, facts_of
from ragvl.generator.units import Unit, units_of
from ragvl.types import Citation, Hit

_KNOWN_WORDS = 0.2  # of a statement's words, that the page has at all
_NEAR_WORDS = 0.33  # of those, and of the words that the question did not give: how many the window has
_OWN_WORDS = 0.6  # of a statement's own words, in the window, when it has neither amount nor name of its own
_QUOTED = re.compile(r"[“\"]([^“”\"]{12,400})[”\"]")
_AMOUNT_WORTH, _NAME_WORTH, _WORD_WORTH, _NEAR = 3.0, 2.0, 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What a page has of a statement.

    Attributes:
        citation: with regions when verified; else with the statement as its quote, and no regions.
        missing: quotes, amounts and names of the statement that are not there.
    """

    citation: Citation
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Window:
    start: int
    end: int
    said: Facts
    above: Facts


def find_evidence(statement: str, question: str, hit: Hit, together_with: Sequence[Hit] = ()) -> Finding:
    """
    Look for a statement on the page that it cites.

    Args:
        statement: a sentence without markers.
        question: its words need not be on the page in the same form, its amounts and names must be.
        hit: the page cited, with all its passages.
        together_with: other pages cited for the same statement; what they have need not be on this one, which must
            still have an amount, a name or most words of it.
    """
    for quote in _QUOTED.findall(statement):
        if not cite_quote(hit.page, quote.strip(" .,;")).verified:
            return Finding(_unverified(hit, statement), (quote,))
    claimed, asked = facts_of(statement), facts_of(question)
    title = facts_of(f"{hit.page.document.title}\n{hit.page.document.path}")
    windows = list(_windows(hit))
    if not windows:
        return Finding(_unverified(hit, statement))
    best = max(windows, key=lambda window: (_worth(claimed, asked, window), window.start - window.end))
    around = best.said | best.above | title
    page = facts_of(hit.page.text)
    for other in together_with:
        page |= facts_of(other.page.text)
        around |= facts_of(other.page.text)
    missing = [_spelled(amount) for amount in claimed.amounts if _is_missing(amount, around, asked, page)]
    missing += sorted(claimed.names - asked.stems - around.stems - page.stems)
    if missing or not _enough_words(claimed, asked, around, page) or not _worth(claimed, asked, best):
        return Finding(_unverified(hit, statement), tuple(sorted(missing)))
    return Finding(cite_span(hit.page, best.start, best.end))


def _windows(hit: Hit) -> Iterator[_Window]:
    units = units_of(hit)
    said = [facts_of(unit.text) for unit in units]
    above = [facts_of(_above(unit)) for unit in units]
    for place, unit in enumerate(units):
        yield _Window(unit.start, unit.end, said[place], above[place])
        if place + 1 < len(units):
            both = said[place] | said[place + 1], above[place] | above[place + 1]
            yield _Window(unit.start, units[place + 1].end, *both)


def _above(unit: Unit) -> str:
    return f"{unit.heading}\n{unit.columns}"


def _worth(claimed: Facts, asked: Facts, window: _Window) -> float:
    amounts = sum(not window.said.lacks(amount) for amount in claimed.amounts)
    amounts_above = sum(not window.above.lacks(amount) for amount in claimed.amounts)
    names = len(claimed.names & window.said.stems)
    words = len(claimed.words & window.said.stems)
    others = len((claimed.stems | asked.stems) & window.above.stems)
    return (
        _AMOUNT_WORTH * (amounts + _NEAR * amounts_above)
        + _NAME_WORTH * names
        + _WORD_WORTH * (words + _NEAR * others)
    )


def _is_missing(amount: Amount, around: Facts, asked: Facts, page: Facts) -> bool:
    """
    An amount must stand in the window; a year that the question gave, anywhere on the page.

    Other amounts of the question ("figure 6", "the two companies") are no claims.
    """
    if asked.lacks(amount):
        return around.lacks(amount)
    return amount.is_year and around.lacks(amount) and page.lacks(amount)


def _enough_words(claimed: Facts, asked: Facts, around: Facts, page: Facts) -> bool:
    """
    Whether words tie the statement to the window.

    An amount beside other words is another amount: some must stand with it. What the question calls by another name
    than the page does is no sign of that. Without an amount or name of its own, a statement is its words.
    """
    words = claimed.words or (asked.stems if not claimed.names else frozenset())
    if not words:
        return True
    own = claimed.words - asked.stems
    there = words & (around.stems | page.stems)
    telling = there | own
    near = len(words & around.stems) / len(telling) if telling else 0.0
    if len(there) < _KNOWN_WORDS * len(words) or near < _NEAR_WORDS:
        return False
    has_anchor = any(asked.lacks(amount) for amount in claimed.amounts) or bool(claimed.names - asked.stems)
    return has_anchor or not own or len(own & around.stems) >= _OWN_WORDS * len(own)


def _unverified(hit: Hit, statement: str) -> Citation:
    return Citation(hit.page.document, hit.page.number, (), one_line(statement), verified=False)


def _spelled(amount: Amount) -> str:
    return f"{amount.value.normalize():f}{'%' if amount.percent else ''}"
