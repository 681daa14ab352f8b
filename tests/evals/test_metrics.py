"""Retrieval metrics."""

from __future__ import annotations

import math

import pytest

from ragvl.evals.metrics import ndcg, recall


def test_ndcg_of_a_perfect_ranking_is_one() -> None:
    """All that is relevant, first."""
    assert ndcg([3, 1, 2], {3, 1}, 5) == pytest.approx(1.0)


def test_ndcg_discounts_by_the_logarithm_of_the_rank() -> None:
    """One relevant page at rank 3 is worth 1 / log2(4)."""
    assert ndcg([9, 8, 1], {1}, 5) == pytest.approx(1 / math.log2(4))


def test_ndcg_normalises_by_what_could_be_found() -> None:
    """More relevant pages than places do not make a full list imperfect."""
    assert ndcg([1, 2], {1, 2, 3}, 2) == pytest.approx(1.0)


def test_recall_counts_the_share_found() -> None:
    """Two of three within the first k."""
    assert recall([1, 9, 2, 3], {1, 2, 3}, 3) == pytest.approx(2 / 3)


def test_nothing_relevant_scores_nothing() -> None:
    """A question without evidence gives 0, not an error."""
    assert ndcg([1], set[int](), 5) == recall([1], set[int](), 5) == 0.0
