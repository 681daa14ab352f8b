"""How often answers are wrong among those that a system is surest of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ragvl.evals.metrics import risk_coverage
from ragvl.evals.records import Outcome

__all__ = ["RiskCurve", "risk_curve"]


@dataclass(frozen=True, slots=True)
class RiskCurve:
    """
    Risk against coverage, of the questions that were not refused.

    Attributes:
        points: share of all questions and risk, both from 0 to 1, share ascending.
        area: see `ragvl.evals.metrics.RiskCoverage`, of the questions that were not refused; less is better.
        answered: share of the questions that were not refused.
    """

    points: tuple[tuple[float, float], ...]
    area: float
    answered: float


def risk_curve(scores: Mapping[str, float], outcomes: Mapping[str, Outcome]) -> RiskCurve | None:
    """
    Draw the curve of a run.

    Args:
        scores: query id to how right its answer is, from 0 to 1.
        outcomes: query id to outcome.

    Returns:
        None where nothing was answered.
    """
    answers = {query: outcomes[query].result.answer for query in scores if query in outcomes}
    sure = {query: one.confidence for query, one in answers.items() if one is not None and not one.refused}
    if not sure:
        return None
    curve = risk_coverage(list(sure.values()), [scores[query] for query in sure])
    answered = len(sure) / len(scores)
    return RiskCurve(
        tuple((point.coverage * answered, point.risk) for point in curve.points), curve.area, answered
    )
