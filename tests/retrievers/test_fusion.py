"""Fusing lanes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ragvl.protocols import ScoredPage
from ragvl.retrievers.fusion import LaneResult, combine, document_means, reciprocal_ranks, shares_of_lanes


def _lane(
    name: str, minimum: float, damped: Mapping[int, float] | None = None, **scores: float
) -> LaneResult:
    pages = [ScoredPage(int(key[1:]), score) for key, score in scores.items()]
    return LaneResult(name, minimum, pages, damped or {})


def test_combine_scales_each_lane_between_its_minimum_and_its_best() -> None:
    """The best page of a lane gets the lane's weight, one at the minimum gets nothing."""
    lanes = [_lane("a", 0.0, p1=10, p2=5), _lane("b", 0.5, p1=0.5, p3=0.9)]
    assert combine(lanes, {"a": 0.6, "b": 0.4}) == pytest.approx({1: 0.6, 2: 0.3, 3: 0.4})


def test_combine_takes_nothing_away_below_the_minimum() -> None:
    """A cosine under that of unrelated texts counts as unrelated."""
    assert combine([_lane("a", 0.5, p1=0.9, p2=0.1)], {"a": 1.0}) == pytest.approx({1: 1.0, 2: 0.0})


def test_combine_of_nothing_is_nothing() -> None:
    """Empty lanes and lanes without a span do not divide by zero."""
    assert combine([_lane("a", 0.5), _lane("b", 0.5, p1=0.5)], {"a": 1.0, "b": 1.0}) == {}


def test_reciprocal_ranks_use_ranks_only() -> None:
    """Scores do not matter, places do; the first place is worth the whole weight."""
    fused = reciprocal_ranks([_lane("a", 0.0, p1=900, p2=1), _lane("b", 0.0, p2=3)], {"a": 1.0, "b": 0.5})
    assert fused == pytest.approx({1: 1.0, 2: 61 / 62 + 0.5})


def test_a_damped_page_keeps_a_share_of_that_lane_alone() -> None:
    """What another lane gives is not touched, and neither is the scale of the others."""
    lanes = [_lane("a", 0.0, {1: 0.25}, p1=10, p2=5), _lane("b", 0.0, p1=1)]
    weights = {"a": 0.5, "b": 0.5}
    assert combine(lanes, weights) == pytest.approx({1: 0.125 + 0.5, 2: 0.25})
    assert reciprocal_ranks(lanes, weights) == pytest.approx({1: 0.125 + 0.5, 2: 0.5 * 61 / 62})


def test_weights_are_shares_of_the_lanes_that_there_are() -> None:
    """Without an image lane, its weight plays no part."""
    weights = {"lexical": 0.5, "text": 0.5, "image": 1.0}
    assert shares_of_lanes(["lexical", "text"], weights) == {"lexical": 0.5, "text": 0.5}
    assert shares_of_lanes(weights, weights) == {"lexical": 0.25, "text": 0.25, "image": 0.5}


def test_lanes_without_any_weight_are_refused() -> None:
    """There would be nothing to rank by."""
    with pytest.raises(ValueError, match="lexical"):
        shares_of_lanes(["lexical"], {"lexical": 0.0, "text": 1.0})


def test_documents_are_judged_by_their_best_pages() -> None:
    """One good page among missing ones counts less than several good ones."""
    means = document_means({1: 0.9, 2: 0.6, 3: 0.6, 4: 0.6, 5: 0.1}, {1: 7, 2: 8, 3: 8, 4: 8, 5: 8}, best=3)
    assert means == pytest.approx({7: 0.3, 8: 0.6})
