"""Fusing lanes."""

from __future__ import annotations

import pytest

from ragvl.protocols import ScoredPage
from ragvl.retrievers.fusion import LaneResult, combine, document_means, reciprocal_ranks


def _lane(name: str, weight: float, minimum: float, **scores: float) -> LaneResult:
    return LaneResult(
        name, weight, minimum, [ScoredPage(int(key[1:]), score) for key, score in scores.items()]
    )


def test_combine_scales_each_lane_between_its_minimum_and_its_best() -> None:
    """The best page of a lane gets the lane's weight, one at the minimum gets nothing."""
    combined = combine([_lane("a", 0.6, 0.0, p1=10, p2=5), _lane("b", 0.4, 0.5, p1=0.5, p3=0.9)])
    assert combined == pytest.approx({1: 0.6, 2: 0.3, 3: 0.4})


def test_combine_takes_nothing_away_below_the_minimum() -> None:
    """A cosine under that of unrelated texts counts as unrelated."""
    assert combine([_lane("a", 1.0, 0.5, p1=0.9, p2=0.1)]) == pytest.approx({1: 1.0, 2: 0.0})


def test_combine_of_nothing_is_nothing() -> None:
    """Empty lanes and lanes without a span do not divide by zero."""
    assert combine([_lane("a", 1.0, 0.5), _lane("b", 1.0, 0.5, p1=0.5)]) == {}


def test_reciprocal_ranks_use_ranks_only() -> None:
    """Scores do not matter, places do."""
    fused = reciprocal_ranks([_lane("a", 1.0, 0.0, p1=900, p2=1), _lane("b", 1.0, 0.0, p2=3)])
    assert fused == pytest.approx({1: 1 / 61, 2: 1 / 62 + 1 / 61})


def test_documents_are_judged_by_their_best_pages() -> None:
    """One good page among missing ones counts less than several good ones."""
    means = document_means({1: 0.9, 2: 0.6, 3: 0.6, 4: 0.6, 5: 0.1}, {1: 7, 2: 8, 3: 8, 4: 8, 5: 8}, best=3)
    assert means == pytest.approx({7: 0.3, 8: 0.6})
