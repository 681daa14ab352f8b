"""
MMLongBench-Doc's rules for answers (Ma et al., 2024; `eval/eval_score.py` of its repository).

By the question's answer format:

- Int: equal whole numbers; the answer is cut to one first, so "3.9" is 3.
- Float: equal within 1 %, also a hundredfold or a hundredth of the reference (per cent), or equal when rounded.
- Str, None: equality where the reference looks like an address, a file, a page, a telephone number, a time or a date;
  otherwise 1 - edit distance / length of the longer text, 0 when that is 0.5 or less.
- List: as many members on both sides, else 0; both sorted; all equal where the first of the reference is a number or
  one of the above, otherwise the similarity of the worst pair.

What the original does by accident is kept, because published numbers depend on it: units ("mile", "million") are looked
for but not removed; a reference of format Int that is no whole number ("21%") is never met; one quotation mark is taken
off each end, whether or not they belong together; "Not answerable" counts as a refusal only when spelt exactly so.
Two things differ. Lists are read as literals and never executed, so "[1 + 1]" is no list here; and where the original
stops with an error (a list that cannot be read, two empty lists, a reference of format Float that is no number), the
score is 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from ragvl.evals.metrics.anls import similarity
from ragvl.evals.metrics.literal import read_list

__all__ = ["FORMATS", "NOT_ANSWERABLE", "f1", "score"]

FORMATS = ("Int", "Float", "Str", "List", "None")
NOT_ANSWERABLE = "Not answerable"

_EXACT = (
    re.compile(r"\b\d+(-\d+|\s\d+)?\b"),  # telephone number
    re.compile(r"\b\d{4}[-\s]\d{2}[-\s]\d{2}\b"),
    re.compile(r"\b\d{4}[-\s]\d{2}\b"),
    re.compile(r"[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}"),
)


def score(prediction: str, reference: str, answer_format: str) -> float:
    """
    Score a short answer, from 0 to 1.

    Raises:
        ValueError: the format is none of `FORMATS`.
    """
    if answer_format == "Int":
        return _score_int(prediction, reference)
    if answer_format == "Float":
        return _score_float(prediction, reference)
    if answer_format in ("Str", "None"):
        wanted, given = _clean(reference), _clean(prediction)
        return float(wanted == given) if _must_be_exact(wanted) else similarity(wanted, given)
    if answer_format == "List":
        return _score_list(prediction, reference)
    raise ValueError(f"there is no answer format {answer_format!r}; there are {', '.join(FORMATS)}")


def f1(samples: Iterable[tuple[float, str, str]]) -> float:
    """
    Return the benchmark's F1: recall over answerable questions, precision over questions that were answered.

    Both divide the sum of the answerable questions' scores, the first by their number, the second by the number of
    predictions that are not `NOT_ANSWERABLE`; 0 where either number is 0.

    Args:
        samples: score, prediction and reference of each question.
    """
    total, answerable, answered = 0.0, 0, 0
    for value, prediction, reference in samples:
        if reference != NOT_ANSWERABLE:
            total += value
            answerable += 1
        answered += prediction != NOT_ANSWERABLE
    if not answerable or not answered or not total:
        return 0.0
    recall, precision = total / answerable, total / answered
    return 2 * recall * precision / (recall + precision)


def _score_int(prediction: str, reference: str) -> float:
    try:
        return float(int(reference) == int(float(prediction)))
    except (ValueError, OverflowError):
        return 0.0


def _score_float(prediction: str, reference: str) -> float:
    try:
        wanted, given = float(_clean(reference)), float(_clean(prediction))
    except ValueError:
        return 0.0
    return float(any(_is_close(each, given) for each in (wanted / 100, wanted, wanted * 100)))


def _is_close(wanted: float, given: float) -> bool:
    if math.isclose(wanted, given, rel_tol=0.01):
        return True
    digits = max(min(_digits(given), _digits(wanted)), 2)
    return round(given, digits) == round(wanted, digits)


def _digits(value: float) -> int:
    """Digits behind the point as Python writes the number; 3 where it writes no point."""
    _, point, digits = str(value).rpartition(".")
    return len(digits) if point else 3


def _score_list(prediction: str, reference: str) -> float:
    wanted, given = _members(reference), _members(prediction)
    if not wanted or not given or len(wanted) != len(given):
        return 0.0
    if _is_float(wanted[0]) or _must_be_exact(wanted[0]):
        return float("-".join(wanted) == "-".join(given))
    return min(similarity(one, other) for one, other in zip(wanted, given, strict=True))


def _members(text: str) -> list[str]:
    """Cleaned members in sorted order; of a text that is no list, the text; none of a list that cannot be read."""
    members = read_list(text) or [] if text.startswith("[") else [text]
    return sorted(_clean(str(member)) for member in members)


def _clean(text: str) -> str:
    text = text.lower().strip()
    text = re.sub(r"\s*\([^)]*\)", "", text).strip()
    text = re.sub(r"^['\"]|['\"]$", "", text).strip()
    return text.lstrip("$").strip().rstrip("%").strip()


def _must_be_exact(text: str) -> bool:
    return (
        "https://" in text
        or text.endswith((".py", "ipynb"))
        or text.startswith("page")
        or "a.m." in text
        or "p.m." in text
        or any(pattern.fullmatch(text) for pattern in _EXACT)
    )


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
