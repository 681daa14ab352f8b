"""
When to refuse, chosen on somebody's own questions with a promise about the answers that are given.

Where there are enough questions, the model behind the support is fitted on them anew, and every question is judged by
one that was fitted without the questions about its document. Then one threshold is chosen, see
`ragvl.evals.threshold`. Last, the choice itself is tried out: it is made without one part of the documents after the
other, and what it costs on the part left out is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ragvl.evals.binomial import at_most
from ragvl.evals.support_examples import Examples
from ragvl.evals.support_model import Floats, cross_fitted, fit, folds_of
from ragvl.evals.threshold import (
    Level,
    Promise,
    choose_threshold,
    cost_of,
    least_error,
    level_of,
    questions_needed,
)
from ragvl.generator.calibration import IndexCalibration
from ragvl.generator.support import shipped_calibration

__all__ = ["Calibrated", "TryOut", "calibrate", "record"]

_ENOUGH = 100  # questions to fit the model on, of which
_ENOUGH_OF_EACH = 20  # are answered from a right page, and from a wrong one
_GRID = tuple(step / 10 for step in range(10))


@dataclass(frozen=True, slots=True)
class TryOut:
    """
    What thresholds cost on documents that they were not chosen on.

    Attributes:
        answered, wrong: questions answered, and those of them that cite a wrong page.
        asked: all questions.
        wrong_at_most: upper bound of the share of wrong ones among those answered.
    """

    answered: int
    wrong: int
    asked: int
    wrong_at_most: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """
    What came of a calibration.

    Attributes:
        promise: what was asked for.
        refitted: whether the support model was fitted on these questions.
        why: why it was or was not, a sentence.
        chosen: the threshold; None when none can keep the promise.
        levels: what other thresholds cost, the loosest first.
        shipped: what the shipped model and threshold cost; None for a generator that has none.
        support, right: (n,) of the answers, as the thresholds saw them.
        try_out: of the choice; None where nothing was chosen, or all questions are about one document.
        least_error: where nothing was chosen, the smallest error that could be promised; None for none.
        questions_needed: and how many such questions the promise would take; None for more than eight times these.
        weights, intercept: of the model that was fitted; empty when it was not.
        documents: how many the questions are about.
    """

    promise: Promise
    refitted: bool
    why: str
    chosen: Level | None
    levels: tuple[Level, ...]
    shipped: Level | None
    support: Floats
    right: Floats
    try_out: TryOut | None
    least_error: float | None
    questions_needed: int | None
    weights: dict[str, float]
    intercept: float
    documents: int


def calibrate(examples: Examples, promise: Promise) -> Calibrated:
    """
    Choose when to refuse.

    Args:
        examples: see `ragvl.evals.support_examples.collect`.
    """
    right, asked = examples.right, examples.asked
    folds = folds_of(examples.documents.tolist())
    lacking = _lacking(examples, folds)
    support, weights, intercept = examples.support, dict[str, float](), 0.0
    if not lacking:
        support = cross_fitted(examples.features, right, folds)
        fitted, intercept = fit(examples.features, right)
        weights = dict(zip(examples.names, fitted.tolist(), strict=True))
    chosen = choose_threshold(support, right, asked, promise)
    sure = level_of(len(right), promise)
    thresholds = sorted({*_GRID, *([chosen.refuse_below] if chosen else [])})
    return Calibrated(
        promise=promise,
        refitted=not lacking,
        why=lacking or f"the support model was fitted anew on {len(right)} questions",
        chosen=chosen,
        levels=tuple(cost_of(support, right, asked, one, sure) for one in thresholds),
        shipped=cost_of(examples.support, right, asked, shipped_calibration().refuse_below, sure)
        if examples.names
        else None,
        support=support,
        right=right,
        try_out=_try_out(support, right, folds, asked, promise) if chosen else None,
        least_error=None if chosen else least_error(support, right, asked, promise.confidence),
        questions_needed=None if chosen else questions_needed(support, right, asked, promise),
        weights=weights,
        intercept=intercept,
        documents=len(set(examples.documents.tolist())),
    )


def record(calibrated: Calibrated, chosen: Level, questions: str, revision: str) -> IndexCalibration:
    """
    Write down what an index is to keep.

    Args:
        questions: name of the set.
        revision: of the set.
    """
    return IndexCalibration(
        refuse_below=chosen.refuse_below,
        questions=questions,
        revision=revision,
        asked=chosen.asked,
        answered=chosen.answered,
        wrong=chosen.wrong,
        error=calibrated.promise.error,
        wrong_at_most=chosen.wrong_at_most,
        confidence=calibrated.promise.confidence,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        weights=calibrated.weights,
        intercept=calibrated.intercept,
    )


def _lacking(examples: Examples, folds: NDArray[np.int64]) -> str:
    """Say why the support model cannot be fitted; "" when it can."""
    kept = "the support model stays the shipped one, only the threshold is chosen"
    if not examples.names:
        return "the generator has no support model, only the threshold is chosen"
    if len(examples.right) < _ENOUGH:
        return f"{kept}: {len(examples.right)} questions are too few to fit it, {_ENOUGH} are enough"
    right = int(examples.right.sum())
    if min(right, len(examples.right) - right) < _ENOUGH_OF_EACH:
        return f"{kept}: fitting needs {_ENOUGH_OF_EACH} answers from right pages and as many from wrong ones"
    if len(np.unique(folds)) < 2:
        return f"{kept}: all questions are about one document"
    return ""


def _try_out(
    support: Floats, right: Floats, folds: NDArray[np.int64], asked: int, promise: Promise
) -> TryOut | None:
    numbers = np.unique(folds)
    if len(numbers) < 2:
        return None
    answered = wrong = 0
    for fold in numbers:
        seen, unseen = folds != fold, folds == fold
        chosen = choose_threshold(support[seen], right[seen], int(seen.sum()), promise)
        if chosen:
            given = unseen & (support >= chosen.refuse_below)
            answered += int(given.sum())
            wrong += int((right[given] < 1).sum())
    bound = at_most(wrong, answered, promise.confidence) if answered else 1.0
    return TryOut(answered, wrong, asked, bound)
