"""The part of a passage that says most about a query."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["excerpt", "word_pattern"]

_ASIDE = 40  # characters shown before the first word that matches
_WORD = re.compile(r"\w+(?:[.,'’&-]\w+)*")


@lru_cache(maxsize=16)
def word_pattern(query: str) -> re.Pattern[str] | None:
    """
    Compile a pattern for the words of a query as they stand in a text, with other endings too.

    Returns:
        None when the query has no word worth marking: short ones that hold no digit say too little.
    """
    words = {word.lower() for word in _WORD.findall(query)}
    telling = sorted(
        (word for word in words if len(word) > 3 or re.search(r"\d", word)), key=len, reverse=True
    )
    if not telling:
        return None
    stems = [
        re.escape(word) if re.search(r"\d", word) else re.escape(_stem(word)) + r"\w{0,4}" for word in telling
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(stems)})(?!\w)", re.IGNORECASE)


def excerpt(text: str, query: str, length: int) -> str:
    """Cut out at most about `length` characters of a text, where most different words of the query stand."""
    if len(text) <= length:
        return text
    pattern = word_pattern(query)
    start = _best_start(text, pattern, length) if pattern else 0
    if start:
        start = text.find(" ", start) + 1 or start
    end = len(text) if start + length >= len(text) else text.rfind(" ", start + 1, start + length)
    end = end if end > start else start + length
    return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")


def _best_start(text: str, pattern: re.Pattern[str], length: int) -> int:
    found = [(match.start(), _stem(match.group().lower())) for match in pattern.finditer(text)]
    best, best_words = 0, 0
    for at, _ in found:
        start = max(0, at - _ASIDE)
        words = len({word for place, word in found if start <= place < start + length})
        if words > best_words:
            best, best_words = start, words
    return best


def _stem(word: str) -> str:
    """Take an English plural's ending off; good enough to mark words with."""
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 4 else word
