"""Retrieval measures against trec_eval itself, bit for bit."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import pytrec_eval

from ragvl.evals.metrics import mean_scores, score_run

RUNS = 500


@pytest.fixture(scope="module")
def scoring() -> ModuleType:
    """The command that makes random runs and compares bits; a script finds its neighbours in its own folder."""
    folder = str(Path(__file__).parents[3] / "benchmarks")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("scoring")
    finally:
        sys.path.remove(folder)


def test_random_graded_runs_have_no_differing_bit(scoring: ModuleType) -> None:
    """Ties, missing and empty queries, grades of 0 and below, scores beyond float32: every value is the same."""
    chance = random.Random(1)
    compared = [scoring.differing_bits(*scoring.random_case(chance)) for _ in range(RUNS)]
    assert sum(bits for _, bits in compared) == 0
    assert sum(values for values, _ in compared) > 20_000


def test_random_runs_hold_what_makes_scoring_hard(scoring: ModuleType) -> None:
    """The comparison is not of easy runs: equal scores, queries without results and missing ones do occur."""
    chance = random.Random(1)
    cases = [scoring.random_case(chance) for _ in range(100)]
    found = [(query, run) for relevance, run in cases for query in relevance]
    assert sum(query not in run for query, run in found) > 10
    assert sum(query in run and not run[query] for query, run in found) > 5
    assert sum(len(set(run[query].values())) < len(run[query]) for query, run in found if query in run) > 50
    grades = {grade for relevance, _ in cases for judged in relevance.values() for grade in judged.values()}
    assert {-1, 0, 1, 2, 3, 7} <= grades


@pytest.mark.parametrize("size", [9, 200, 3000])
def test_long_sums_are_added_in_the_order_of_the_ranks(size: int) -> None:
    """Thousands of gains: adding in pairs, as numpy's sum does, would differ in the last bits."""
    chance = random.Random(size)
    relevance = {"q": {f"d{page}": chance.randint(1, 3) for page in range(size)}}
    run = {"q": {page: chance.random() for page in relevance["q"]}}
    theirs = pytrec_eval.RelevanceEvaluator(relevance, {"ndcg_cut_5000", "map"}).evaluate(run)["q"]
    assert score_run(relevance, run, ("ndcg@5000", "map"))["q"] == {
        "ndcg@5000": theirs["ndcg_cut_5000"],
        "map": theirs["map"],
    }


def test_the_mean_is_that_of_the_queries_both_count() -> None:
    """Where no query is missing, the aggregate agrees with trec_eval's."""
    chance = random.Random(0)
    relevance = {
        f"q{number}": {f"d{page}": chance.randint(0, 2) for page in range(20)} for number in range(50)
    }
    run = {query: {page: chance.random() for page in judged} for query, judged in relevance.items()}
    theirs = pytrec_eval.RelevanceEvaluator(relevance, {"ndcg_cut_5"}).evaluate(run)
    aggregate: Callable[[str, list[float]], float] = pytrec_eval.compute_aggregated_measure
    expected = aggregate("ndcg_cut_5", [row["ndcg_cut_5"] for row in theirs.values()])
    assert mean_scores(score_run(relevance, run, ["ndcg@5"]))["ndcg@5"] == pytest.approx(expected, abs=1e-15)
