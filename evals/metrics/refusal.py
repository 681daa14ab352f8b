"""Whether a system refuses where it should, and how well its confidence tells right from wrong answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ragvl.evals.types import EvalQuery, SystemAnswer

__all__ = ["CoveragePoint", "RefusalEvaluation", "RiskCoverage", "evaluate_refusal", "risk_coverage"]

_ROUNDING = 1e-12  # 1 - 0.7 is more than 0.3


@dataclass(frozen=True, slots=True)
class RefusalEvaluation:
    """
    How well a system refuses the queries that the documents do not answer.

    Attributes:
        scores: query id to "refusal_accuracy": 1 when it refused and the query is unanswerable, or neither; else 0.
        figures: "refusal_precision" (unanswerable, of the queries refused), "refusal_recall" (refused, of the
            unanswerable ones), "refusal_f1" and "refusal_accuracy". A figure that would divide by nothing is not there.
    """

    scores: Mapping[str, Mapping[str, float]]
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """
    What answering from a confidence upward costs.

    Attributes:
        threshold: the lowest confidence that is answered.
        coverage: share of all queries that are answered, from above 0 to 1.
        risk: share of these that are wrong, from 0 to 1.
    """

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """
    The risk-coverage curve.

    Attributes:
        points: one for each different confidence, coverage ascending.
        area: under the curve (AURC), the mean risk over all numbers of queries answered; less is better. Queries of
            the same confidence are answered in every order, of which this is the mean.
    """

    points: tuple[CoveragePoint, ...]
    area: float

    def at(self, threshold: float) -> CoveragePoint:
        """Return what answering from this confidence upward costs; coverage and risk 0 when nothing is answered."""
        return next(
            (point for point in reversed(self.points) if point.threshold >= threshold),
            CoveragePoint(threshold, 0.0, 0.0),
        )

    def with_precision(self, precision: float) -> CoveragePoint | None:
        """Return the point of the widest coverage where at least this share is right; None when there is none."""
        return next(
            (point for point in reversed(self.points) if 1 - point.risk >= precision - _ROUNDING), None
        )


def evaluate_refusal(queries: Iterable[EvalQuery], answers: Mapping[str, SystemAnswer]) -> RefusalEvaluation:
    """
    Compare refusals with what is unanswerable.

    Queries of which the source does not say whether they can be answered are left out; one without an answer (the
    system failed) was not refused.
    """
    pairs = {
        query.id: (query.id in answers and answers[query.id].refused, not query.answerable)
        for query in queries
        if query.answerable is not None
    }
    refused = sum(did for did, _ in pairs.values())
    unanswerable = sum(should for _, should in pairs.values())
    both = sum(did and should for did, should in pairs.values())
    figures: dict[str, float] = {}
    if refused:
        figures["refusal_precision"] = both / refused
    if unanswerable:
        figures["refusal_recall"] = both / unanswerable
    if refused + unanswerable:
        figures["refusal_f1"] = 2 * both / (refused + unanswerable)
    if pairs:
        figures["refusal_accuracy"] = sum(did == should for did, should in pairs.values()) / len(pairs)
    scores = {query: {"refusal_accuracy": float(did == should)} for query, (did, should) in pairs.items()}
    return RefusalEvaluation(scores, figures)


def risk_coverage(confidences: Sequence[float], correct: Sequence[float]) -> RiskCoverage:
    """
    Draw the curve of answering the most confident queries first.

    Args:
        correct: how right each answer is, from 0 (wrong) to 1.

    Raises:
        ValueError: there are no queries, the two differ in length, or a value is out of range or not a number.
    """
    if not confidences or len(confidences) != len(correct):
        raise ValueError(f"{len(confidences)} confidences and {len(correct)} answers make no curve")
    if any(math.isnan(confidence) for confidence in confidences) or not all(
        0 <= each <= 1 for each in correct
    ):
        raise ValueError("confidences must be numbers, and answers between 0 (wrong) and 1 (right)")
    pairs = sorted(zip(confidences, correct, strict=True), reverse=True)
    points: list[CoveragePoint] = []
    risks: list[float] = []
    wrong, answered = 0.0, 0
    for confidence, group in groupby(pairs, key=lambda pair: pair[0]):
        wrongs = [1 - each for _, each in group]
        share = math.fsum(wrongs) / len(wrongs)
        risks += [(wrong + nth * share) / (answered + nth) for nth in range(1, len(wrongs) + 1)]
        wrong, answered = wrong + math.fsum(wrongs), answered + len(wrongs)
        points.append(CoveragePoint(confidence, answered / len(pairs), wrong / answered))
    return RiskCoverage(tuple(points), math.fsum(risks) / len(risks))
