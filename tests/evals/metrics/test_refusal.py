"""Refusals, the risk-coverage curve, and the pages that reached the generator."""

from __future__ import annotations

import itertools

import pytest

from ragvl.evals.metrics import CoveragePoint, evaluate_refusal, risk_coverage, score_context
from ragvl.evals.types import EvalQuery, SystemAnswer


def answer(refused: bool = False, context: tuple[str, ...] = ()) -> SystemAnswer:
    """An answer or a refusal."""
    return SystemAnswer("text", refused, 0.5, context=context)


def test_refusals_are_compared_with_what_is_unanswerable() -> None:
    """Two refused, one rightly; two unanswerable, one refused; a failed query was not refused; "?" is left out."""
    truth = {"right": False, "too much": True, "missed": False, "answered": True, "failed": True, "?": None}
    queries = [EvalQuery(name, "?", answerable=answerable) for name, answerable in truth.items()]
    answers = {name: answer(refused=name in ("right", "too much", "?")) for name in truth if name != "failed"}
    evaluation = evaluate_refusal(queries, answers)
    assert evaluation.figures == {
        "refusal_precision": 0.5,
        "refusal_recall": 0.5,
        "refusal_f1": 0.5,
        "refusal_accuracy": 0.6,
    }
    assert {name for name, row in evaluation.scores.items() if row["refusal_accuracy"]} == {
        "right",
        "answered",
        "failed",
    }


def test_no_refusals_have_no_precision() -> None:
    """A figure that would divide by nothing is not there."""
    figures = evaluate_refusal([EvalQuery("q", "?", answerable=True)], {"q": answer()}).figures
    assert figures == {"refusal_accuracy": 1.0}
    assert evaluate_refusal([], {}).figures == {}


def test_curve_and_its_area() -> None:
    """Right, wrong, right, wrong: risks 0, 1/2, 1/3, 1/2 after each answer, 1/3 on average."""
    curve = risk_coverage([0.1, 0.9, 0.5, 0.7], [0, 1, 1, 0])
    assert [(point.threshold, point.coverage) for point in curve.points] == [
        (0.9, 0.25),
        (0.7, 0.5),
        (0.5, 0.75),
        (0.1, 1.0),
    ]
    assert [point.risk for point in curve.points] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_equal_confidences_are_the_mean_of_every_order() -> None:
    """Three answers of one confidence: the same area in whatever order they come, and one point."""
    confidences, correct = [0.9, 0.5, 0.5, 0.5, 0.2], [1.0, 0.0, 1.0, 1.0, 0.0]
    distinct = [0.9, 0.5, 0.4, 0.3, 0.2]
    areas = [
        risk_coverage(distinct, [1.0, *middle, 0.0]).area
        for middle in itertools.permutations([0.0, 1.0, 1.0])
    ]
    tied = [
        risk_coverage(confidences, [1.0, *middle, 0.0]) for middle in itertools.permutations([0.0, 1.0, 1.0])
    ]
    assert {curve.area for curve in tied} == {risk_coverage(confidences, correct).area}
    assert tied[0].area == pytest.approx(sum(areas) / len(areas))
    assert [point.coverage for point in tied[0].points] == [0.2, 0.8, 1.0]


def test_thresholds_and_precisions_are_looked_up() -> None:
    """What a threshold costs, and how much can be answered with a given share right."""
    curve = risk_coverage([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1])
    assert curve.at(0.75) == curve.at(0.8) == CoveragePoint(0.8, 0.5, 0.0)
    assert curve.at(0.95) == CoveragePoint(0.95, 0.0, 0.0)
    assert curve.with_precision(0.75) == CoveragePoint(0.6, 1.0, 0.25)
    assert curve.with_precision(0.95) == CoveragePoint(0.8, 0.5, 0.0)
    assert risk_coverage([0.5], [0]).with_precision(0.95) is None
    assert risk_coverage([0.5] * 10, [1] * 3 + [0] * 7).with_precision(0.3) is not None  # 1 - 0.7 < 0.3


def test_what_makes_no_curve_is_refused() -> None:
    """Nothing, unequal lengths, no number, an answer beyond right."""
    for confidences, correct in (([], []), ([0.5], []), ([float("nan")], [1.0]), ([0.5], [1.5])):
        with pytest.raises(ValueError, match="confidences"):
            risk_coverage(confidences, correct)


def test_context_is_scored_in_the_order_in_which_it_was_given() -> None:
    """The relevant page is the second given: not within 1, within 2; a page given twice takes one place."""
    relevance = {"q": {"b": 1}, "failed": {"a": 1}}
    scores = score_context(
        relevance, {"q": answer(context=("a", "a", "b"))}, ("recall@1", "recall@2", "ndcg@1")
    )
    assert scores == {
        "q": {"context_recall@1": 0.0, "context_recall@2": 1.0, "context_ndcg@1": 0.0},
        "failed": {"context_recall@1": 0.0, "context_recall@2": 0.0, "context_ndcg@1": 0.0},
    }
