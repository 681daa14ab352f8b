"""Pages that say the same: one of them is enough for a generator."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ragvl.types import Hit

_SHINGLE_WORDS = 4
_SAME = 0.9  # share of runs of words that two pages have in common
_FEW_WORDS = 20  # pages with fewer are told apart by their pictures


def duplicate_of(hit: Hit, others: Iterable[Hit]) -> Hit | None:
    """The first of the other pages that has nearly the same words in the same order."""
    own = _shingles(hit.page.text)
    if len(own) < _FEW_WORDS:
        return None
    for other in others:
        their = _shingles(other.page.text)
        if len(own & their) >= _SAME * max(len(own), len(their)):
            return other
    return None


@lru_cache(maxsize=64)
def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = text.lower().split()
    return frozenset(zip(*(words[start:] for start in range(_SHINGLE_WORDS)), strict=False))
