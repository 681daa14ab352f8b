"""
How well a quote supports an answer, as a probability that the page cited is a right one.

A logistic model over a few features of the best quote; its weights are fitted by `scripts/calibrate_refusal.py`
on questions with known evidence pages, unanswerable ones among them, and kept in `calibration.json`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from ragvl.generator.scoring import ScoredUnit
from ragvl.indexers.analysis import terms

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights by feature name, the intercept, and the support under which an answer is refused."""

    weights: Mapping[str, float]
    intercept: float
    refuse_below: float


def features(question: str, scored: Sequence[ScoredUnit]) -> dict[str, float]:
    """What the model looks at; `scored` is best first and not empty."""
    best = scored[0]
    page = best.unit.hit.page
    hits = {one.unit.hit.page.id: one.unit.hit for one in scored}.values()
    others = [hit.score for hit in hits if hit.page.document.id != page.document.id]
    top = max(hit.score for hit in hits)
    lanes = {lane.lane: lane for lane in best.unit.hit.lanes}
    text, lexical = lanes.get("text"), lanes.get("lexical")
    on_page = set(terms(f"{page.text} {page.document.title} {page.document.path}"))
    return {
        "meaning": best.meaning,
        "coverage": best.coverage,
        "agreement": sum(one.unit.hit.page.id == page.id for one in scored[1:6]) / 5,
        "page_cosine": text.score if text else 0.5,
        "page_words": lexical.score if lexical else 0.0,
        "both_first": float(bool(text and lexical and text.rank == lexical.rank == 1)),
        "missing_years": float(any(year not in on_page for year in _YEAR.findall(question))),
        "document_lead": (top - max(others, default=0.0)) / top if top else 0.0,
    }


def support(question: str, scored: Sequence[ScoredUnit], calibration: Calibration) -> float:
    """The probability, from 0 to 1, that the best unit stands on a page that answers the question."""
    if not scored:
        return 0.0
    found = features(question, scored)
    logit = calibration.intercept + sum(weight * found[name] for name, weight in calibration.weights.items())
    return 1 / (1 + math.exp(-logit))


@lru_cache(maxsize=1)
def shipped_calibration() -> Calibration:
    """The calibration that comes with ragvl."""
    text = (resources.files("ragvl.generator") / "calibration.json").read_text(encoding="utf-8")
    held = json.loads(text)
    return Calibration(held["weights"], held["intercept"], held["refuse_below"])
