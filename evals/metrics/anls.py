"""ANLS: average normalised Levenshtein similarity (Biten et al., 2019), as DocVQA scores answers."""

from __future__ import annotations

__all__ = ["anls", "edit_distance", "similarity"]

_THRESHOLD = 0.5


def anls(prediction: str, reference: str) -> float:
    """
    Return 1 - edit distance / length of the longer text, 0 when that is 0.5 or less; from 0 to 1.

    Case and the width of white space do not matter.
    """
    return similarity(" ".join(reference.lower().split()), " ".join(prediction.lower().split()))


def similarity(one: str, other: str) -> float:
    """Return the same of two texts as they are; two empty texts are equal."""
    length = max(len(one), len(other))
    if not length:
        return 1.0
    if 1.0 - abs(len(one) - len(other)) / length <= _THRESHOLD:  # the distance is at least that
        return 0.0
    value = 1.0 - edit_distance(one, other) / length
    return 0.0 if value <= _THRESHOLD else value


def edit_distance(one: str, other: str) -> int:
    """Return the least number of characters to insert, delete or replace (Levenshtein)."""
    shorter, longer = sorted((one, other), key=len)
    above = list(range(len(shorter) + 1))
    for row, char in enumerate(longer, start=1):
        here = [row]
        for column, other_char in enumerate(shorter, start=1):
            if char == other_char:
                here.append(above[column - 1])
            else:
                here.append(1 + min(above[column - 1], above[column], here[-1]))
        above = here
    return above[-1]
