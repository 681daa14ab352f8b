"""Does a page say a value? Numbers as amounts, everything else word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from ragvl.generator.citations import cite_span
from ragvl.generator.grounding.facts import Amount, facts_of
from ragvl.generator.modes.reading import Scalar
from ragvl.generator.units import Unit, units_of
from ragvl.types import Citation, Hit

_SPOKEN = re.compile(
    r"(?P<minus>(?<![\w)])[-−–]\s?[$€£¥]?\s?|[$€£¥]\s?[-−–])?"
    r"(?<![\w.,])(?P<amount>\d(?:[\d.,'’]*\d)?(?:\s?%|\s*[a-zA-Z]+)?)(?P<closed>\s?\))?"
)
_SHORT = 3  # characters of a text that must be written alike, capitals and all


def cite_value(value: Scalar, hit: Hit, about: str) -> Citation:
    """
    Cite the place on a page that says a value.

    A number is found however the page writes it: "1,577", "1.577 billion"; a minus must stand before a negative one,
    or brackets around it. A yes or no is never found: no page says it in a word.

    Args:
        value: of a field.
        hit: the page, with all its passages.
        about: what the field is about; of several places the one that has most of these words is cited.

    Returns:
        Verified with its regions, a text as its own words, a number as the sentence or row it stands in; else
        unverified, with the value as the quote and no regions.
    """
    places = (
        () if isinstance(value, bool) else _texts(value, hit) if isinstance(value, str) else _rows(value, hit)
    )
    units = units_of(hit)
    wanted = facts_of(about).stems

    def likeness(span: tuple[int, int]) -> tuple[int, int]:
        around = [unit for unit in units if unit.start <= span[0] < unit.end]
        words = max((len(facts_of(unit.in_place).stems & wanted) for unit in around), default=0)
        return words, -span[0]

    best = max(places, key=likeness, default=None)
    if best is None:
        return Citation(hit.page.document, hit.page.number, (), str(value), verified=False)
    return cite_span(hit.page, *best)


def _texts(value: str, hit: Hit) -> Iterator[tuple[int, int]]:
    words = r"\s+".join(re.escape(word) for word in value.split())
    before = r"(?<!\w)(?<!\d[.,])" if re.match(r"\w", value.strip()) else ""
    behind = r"(?!\w)(?![.,]\d)" if re.search(r"\w$", value.strip()) else ""
    flags = re.IGNORECASE if len(value) > _SHORT else 0
    return (found.span() for found in re.finditer(before + words + behind, hit.page.text, flags))


def _rows(value: float, hit: Hit) -> Iterator[tuple[int, int]]:
    claimed = Amount(abs(Decimal(str(value))).normalize())
    return ((unit.start, unit.end) for unit in units_of(hit) if _says(unit, claimed, negative=value < 0))


def _says(unit: Unit, claimed: Amount, *, negative: bool) -> bool:
    written = [
        found
        for found in _SPOKEN.finditer(unit.text)
        if any(claimed.is_said_by(amount) for amount in facts_of(found.group("amount")).amounts)
    ]
    if written:
        return any(_may_be(found, unit.text, negative=negative) for found in written)
    return not negative and not facts_of(unit.text).lacks(claimed)  # spelled: "seven"


def _may_be(found: re.Match[str], text: str, *, negative: bool) -> bool:
    """Whether a written number has the sign; one in brackets may have either: an account's minus, or an aside."""
    opened = text[: found.start("amount")].rstrip(" $€£¥").endswith("(")
    if opened and found.group("closed"):
        return True
    return bool(found.group("minus")) == negative
