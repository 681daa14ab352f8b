"""What somebody may have meant by a mistyped name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["nearest", "suggestion"]

_ALIKE = 0.6


def nearest(name: str, known: Iterable[str], alike: float = _ALIKE) -> str:
    """
    The known name most like `name`, whatever its case; "" when none is alike.

    Args:
        alike: from 0, anything, to 1, the same letters.
    """
    by_lower = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(name.casefold(), by_lower, n=1, cutoff=alike)
    return by_lower[found[0]] if found else ""


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown name: "; did you mean 'x'?", or "" when none is alike."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""
