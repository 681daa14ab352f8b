"""Names of retrieval measures: "ndcg@10", "recall@10", "p@5", "success@1", "map", "mrr"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, cast

__all__ = ["Measure", "parse_measure"]

Kind = Literal["ndcg", "recall", "p", "success", "map", "mrr"]

_NEED_CUTOFF = ("ndcg", "recall", "p", "success")
_KINDS = (*_NEED_CUTOFF, "map", "mrr")
_NAME = re.compile(r"([a-z]+)(?:@([1-9][0-9]{0,8}))?")


@dataclass(frozen=True, slots=True)
class Measure:
    """
    A retrieval measure.

    Attributes:
        name: as it was asked for.
        cutoff: number of ranks that are looked at; None for all.
    """

    name: str
    kind: Kind
    cutoff: int | None


def parse_measure(name: str) -> Measure:
    """
    Read the name of a measure.

    Raises:
        ValueError: there is no such measure, or its cutoff is missing or not a whole number from 1 up.
    """
    match = _NAME.fullmatch(name)
    kind, cutoff = match.groups() if match else (name, None)
    if kind not in _KINDS:
        raise ValueError(_unknown(name))
    if cutoff is None and kind in _NEED_CUTOFF:
        raise ValueError(f"measure {name!r} needs a cutoff, such as '{kind}@10'")
    return Measure(name, cast(Kind, kind), None if cutoff is None else int(cutoff))


def _unknown(name: str) -> str:
    known = ", ".join(f"{kind}@K" if kind in _NEED_CUTOFF else kind for kind in _KINDS)
    word, *numbers = re.findall(r"[a-z]+|[1-9][0-9]*", name.lower()) or [""]
    near = get_close_matches({"precision": "p", "hit": "success"}.get(word, word), _KINDS, n=1)
    cutoff = next((number for number in numbers if number.isdecimal()), "10")
    meant = [f"{kind}@{cutoff}" if kind in _NEED_CUTOFF else kind for kind in near]
    hint = f"; did you mean {meant[0]!r}?" if meant else "."
    return f"there is no measure {name!r}{hint} There are {known}; K is a whole number from 1 up"
