"""
Exact match and F1 of answers that are lists, as M3DocVQA scores them (Cho et al., 2024).

The rules come from DROP (Dua et al., 2019) by way of MultiModalQA: both sides are normalised word by word, number words
become numbers, the members of the two lists are paired so that the pairs' F1 add up to the most, and a pair whose
numbers disagree counts nothing. The original reads number words with a package; here one word is one number, and so
it is there but for words that a tab or a line break separates. Its oddity "point" = 0 is kept.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

import numpy as np

from ragvl.evals.metrics.assignment import assign

__all__ = ["list_exact_match", "list_f1"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = (
    {word: float(value) for value, word in enumerate(_SMALL.split())}
    | {word: 10.0 * value for value, word in enumerate(_TENS.split(), start=2)}
    | {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "point": 0.0}
)


def list_exact_match(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """Return 1 when the lists are of one length and whatever is in one is in the other, else 0."""
    given, wanted = [_normalise(text) for text in prediction], [_normalise(text) for text in reference]
    return float(set(given) == set(wanted) and len(given) == len(wanted))


def list_f1(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """Return the mean F1 of the best pairs over the members of the longer list, rounded to two places."""
    given = [set(_normalise(text).split()) for text in prediction]
    wanted = [set(_normalise(text).split()) for text in reference]
    if not given or not wanted:
        return float(given == wanted)
    gains = [[_pair_f1(one, other) for other in given] for one in wanted]
    total = sum(gains[row][column] for row, column in assign(gains))
    return float(np.round(total / max(len(given), len(wanted)), 2))  # numpy's rounding, as in the original


def _pair_f1(wanted: set[str], given: set[str]) -> float:
    numbers = {word for word in wanted if _number(word) is not None}
    if numbers and not numbers & given:
        return 0.0
    shared = len(wanted & given)
    precision = shared / len(given) if given else 1.0
    recall = shared / len(wanted) if wanted else 1.0
    return 2 * precision * recall / (precision + recall) if precision or recall else 0.0


def _normalise(text: str) -> str:
    return " ".join(filter(None, (_normalise_word(word) for word in re.split("[ -]", text))))


def _normalise_word(word: str) -> str:
    word = word.lower()
    if _number(word) is None:
        word = word.translate(_PUNCTUATION)
    number = _NUMBER_WORDS.get(word.strip(), _number(word))
    if number is not None:
        word = str(number)
    return " ".join(_ARTICLES.sub(" ", word).split())


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
