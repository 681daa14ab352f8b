"""Pages that a question names by number: "on page 12", "slides 30-35", "pp. 4 and 5"."""

from __future__ import annotations

import re

_NUMBERS = r"\d{1,4}(?:\s*(?:-|–|to|and|,|&)\s*\d{1,4})*"
_REFERENCE = re.compile(rf"\b(?:pages?|pp?\.|slides?)\s*(?:no\.?|number|#)?\s*({_NUMBERS})\b", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)\s*(?:-|–|to)\s*(\d+)|(\d+)", re.IGNORECASE)
_LONGEST_RANGE = 50


def referred_pages(query: str) -> frozenset[int]:
    """Page numbers, from 1, that a question speaks of; empty for most questions."""
    found: set[int] = set()
    for reference in _REFERENCE.finditer(query):
        for first, last, single in _RANGE.findall(reference.group(1)):
            if single:
                found.add(int(single))
            elif 0 <= int(last) - int(first) <= _LONGEST_RANGE:
                found |= set(range(int(first), int(last) + 1))
    return frozenset(found - {0})
