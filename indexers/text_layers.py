"""Whether a page's own text can be used, or was only meant to be seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_MAX_UNREADABLE = 0.2  # share of characters without meaning
_MIN_ALPHANUMERIC = 0.35
_MIN_VOWELS = 0.2  # of Latin letters; no language that is written with them has fewer
_MIN_LETTERS = 80  # to judge by
_LEADERS = frozenset(".·…_-–—=*•")
_VOWELS = frozenset("aeiouyAEIOUY")
_PRIVATE = (0xE000, 0xF8FF)


def is_readable(words: Sequence[str]) -> bool:
    """
    Whether a text layer says what the page shows.

    It does not when its characters have no meaning ("(cid:12)", U+FFFD, private glyphs) or a wrong one: fonts
    without a character map give signs instead of letters, or letters that form no syllables.
    """
    text = "".join(words)
    if not text:
        return False
    unreadable = sum(char == "\ufffd" or _PRIVATE[0] <= ord(char) <= _PRIVATE[1] for char in text)
    unreadable += sum(len(word) for word in words if "(cid:" in word)
    if unreadable > _MAX_UNREADABLE * len(text):
        return False
    counted = [char for char in text if char not in _LEADERS]
    if len(counted) > _MIN_LETTERS:
        alphanumeric = sum(char.isalnum() for char in counted)
        if alphanumeric < _MIN_ALPHANUMERIC * len(counted):
            return False
    # Without their accents: in Vietnamese nearly every vowel bears one.
    latin = [char for char in unicodedata.normalize("NFD", text) if char.isascii() and char.isalpha()]
    if len(latin) < max(_MIN_LETTERS, len(counted) // 2):
        return True
    return sum(char in _VOWELS for char in latin) >= _MIN_VOWELS * len(latin)
