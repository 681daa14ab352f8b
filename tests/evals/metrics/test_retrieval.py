"""Retrieval measures, by hand."""

from __future__ import annotations

import math

import pytest

from ragvl.evals.metrics import mean_scores, parse_measure, score_run


def one(relevance: dict[str, int], run: dict[str, float], measure: str) -> float:
    """One query's value."""
    return score_run({"q": relevance}, {"q": run}, [measure])["q"][measure]


def test_a_perfect_ranking_scores_one() -> None:
    """All that is relevant, first, the best grade ahead."""
    measures = ("ndcg@5", "recall@2", "p@2", "success@1", "map", "mrr")
    run = {"q": {"a": 0.9, "b": 0.8, "c": 0.1}}
    assert set(score_run({"q": {"a": 2, "b": 1}}, run, measures)["q"].values()) == {1.0}


def test_gain_is_linear_in_the_grade() -> None:
    """Grades 2 and 1 swapped: 1 + 2 / log2(3) over 2 + 1 / log2(3), not (1 + 3 / log2(3)) over (3 + 1 / log2(3))."""
    swapped = (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))
    assert swapped == pytest.approx(0.85972, abs=1e-5)
    assert one({"a": 2, "b": 1}, {"b": 2.0, "a": 1.0}, "ndcg@5") == swapped


def test_ndcg_discounts_by_the_logarithm_of_the_rank() -> None:
    """One relevant page at rank 3 is worth 1 / log2(4)."""
    assert one({"a": 1}, {"x": 3.0, "y": 2.0, "a": 1.0}, "ndcg@5") == 0.5
    assert one({"a": 1}, {"x": 3.0, "y": 2.0, "a": 1.0}, "ndcg@2") == 0.0


def test_ndcg_normalises_by_what_could_be_found() -> None:
    """More relevant pages than places do not make a full list imperfect."""
    assert one({"a": 1, "b": 1, "c": 1}, {"a": 2.0, "b": 1.0}, "ndcg@2") == 1.0


def test_recall_counts_the_share_found() -> None:
    """Two of three within the first three."""
    assert one({"a": 1, "b": 1, "c": 3}, {"a": 4.0, "x": 3.0, "b": 2.0, "c": 1.0}, "recall@3") == 2 / 3


def test_precision_divides_by_the_cutoff() -> None:
    """A list that ends early is filled up with irrelevant pages."""
    assert one({"a": 1}, {"a": 1.0}, "p@5") == 0.2


def test_success_is_whether_anything_was_found() -> None:
    """At rank 2: not within 1, but within 2."""
    run = {"x": 2.0, "a": 1.0}
    assert (one({"a": 1}, run, "success@1"), one({"a": 1}, run, "success@2")) == (0.0, 1.0)


def test_average_precision_counts_what_is_missing_as_zero() -> None:
    """Relevant at ranks 1 and 3, a third never found: (1/1 + 2/3) / 3; within 2 ranks 1/3."""
    run = {"a": 3.0, "x": 2.0, "b": 1.0}
    assert one({"a": 1, "b": 1, "c": 1}, run, "map") == (1 + 2 / 3) / 3
    assert one({"a": 1, "b": 1, "c": 1}, run, "map@2") == 1 / 3


def test_reciprocal_rank_looks_at_the_first() -> None:
    """First relevant at rank 2; with a cutoff of 1 there is none."""
    run = {"x": 3.0, "a": 2.0, "b": 1.0}
    assert one({"a": 1, "b": 2}, run, "mrr") == 0.5
    assert one({"a": 1, "b": 2}, run, "mrr@1") == 0.0


@pytest.mark.parametrize(
    ("first", "second"),
    [("d2", "d10"), ("d10", "d1"), ("page-9", "page-10"), ("a", "A"), ("é", "z"), ("\U0001f4c4", "\uffee")],
)
def test_equal_scores_are_ordered_by_descending_id(first: str, second: str) -> None:
    """Byte order of UTF-8, not numbers, not the order of insertion, not UTF-16."""
    for run in ({first: 1.0, second: 1.0}, {second: 1.0, first: 1.0}):
        assert (one({first: 1}, run, "mrr"), one({second: 1}, run, "mrr")) == (1.0, 0.5)


def test_scores_are_compared_as_float32() -> None:
    """20 and 20.0000001 are equal, so the id decides; 20 and 20.00001 are not."""
    assert one({"b": 1}, {"a": 20.0000001, "b": 20.0}, "mrr") == 1.0
    assert one({"b": 1}, {"a": 20.00001, "b": 20.0}, "mrr") == 0.5
    assert one({"b": 1}, {"a": 0.0, "b": -0.0}, "mrr") == 1.0


def test_nan_ranks_last() -> None:
    """Below every number, infinities too; among each other by id."""
    nan, infinity = float("nan"), float("inf")
    run = {"z": nan, "y": -nan, "a": -infinity, "b": infinity}
    assert [one({page: 1}, run, "mrr") for page in "bazy"] == [1.0, 1 / 2, 1 / 3, 1 / 4]


def test_grades_of_zero_and_below_are_not_relevant() -> None:
    """They neither gain nor cost; where nothing else is judged, everything is 0."""
    run = {"q": {"bad": 3.0, "none": 2.0, "a": 1.0}}
    measures = ("ndcg@5", "recall@5", "map", "mrr", "p@5", "success@5")
    assert one({"bad": -1, "none": 0, "a": 1}, run["q"], "ndcg@5") == one({"a": 1}, run["q"], "ndcg@5")
    assert set(score_run({"q": {"bad": -1, "none": 0}}, run, measures)["q"].values()) == {0.0}


def test_every_judged_query_is_counted() -> None:
    """A query without results and one that the run lacks score 0; one that nobody judged is not there."""
    relevance = {"found": {"a": 1}, "empty": {"a": 1}, "missing": {"a": 1}, "judged by nobody": {}}
    run = {"not asked": {"a": 1.0}, "empty": {}, "found": {"a": 1.0}}
    scores = score_run(relevance, run, ["ndcg@5"])
    assert scores == {"found": {"ndcg@5": 1.0}, "empty": {"ndcg@5": 0.0}, "missing": {"ndcg@5": 0.0}}
    assert mean_scores(scores) == {"ndcg@5": 1 / 3}


def test_nothing_to_score_is_no_error() -> None:
    """No judgements, no run, no measures."""
    assert score_run({}, {}, ["map"]) == {}
    assert score_run({"q": {"a": 1}}, {}, ["map"]) == {"q": {"map": 0.0}}
    assert score_run({"q": {"a": 1}}, {}, []) == {"q": {}}
    assert mean_scores({}) == {}


def test_means_are_over_the_queries_that_have_the_measure() -> None:
    """A measure that is undefined for a query is not 0 there; the order of the queries changes no bit."""
    scores = {"a": {"p": 0.1, "r": 1.0}, "b": {"r": 0.0}, "c": {"p": 0.2}, "d": {"p": 0.3}}
    assert mean_scores(scores) == mean_scores(dict(reversed(scores.items())))
    assert mean_scores(scores) == {"p": pytest.approx(0.2), "r": 0.5}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ndgc@10", "did you mean 'ndcg@10'"),
        ("ndcg_cut_10", "did you mean 'ndcg@10'"),
        ("NDCG@5", "did you mean 'ndcg@5'"),
        ("precision@5", "did you mean 'p@5'"),
        ("ndcg", "needs a cutoff, such as 'ndcg@10'"),
        ("ndcg@0", "whole number from 1 up"),
        ("recall@ten", "whole number from 1 up"),
        ("bogus", "there is no measure 'bogus'. There are ndcg@K, recall@K"),
        ("", "there is no measure ''"),
    ],
)
def test_measures_that_do_not_exist_say_what_does(name: str, message: str) -> None:
    """The error names the nearest measure, or what is missing."""
    with pytest.raises(ValueError, match=message):
        parse_measure(name)
