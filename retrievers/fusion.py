"""
Fusing the rankings of lanes into one.

The convex combination of scores, each lane scaled between its theoretical minimum and its best score of the
query, is better than rank fusion when the scores have a scale, and needs hardly any tuning (Bruch et al., An
Analysis of Fusion Functions for Hybrid Retrieval, TOIS 2023).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ragvl.protocols import ScoredPage


@dataclass(frozen=True, slots=True)
class LaneResult:
    """
    What one lane found.

    Attributes:
        minimum: the lowest score that the lane's scale knows: what two things have that share nothing.
        pages: best first.
        damped: what a page's share is multiplied by, where that is not 1.
    """

    name: str
    minimum: float
    pages: Sequence[ScoredPage]
    damped: Mapping[int, float] = field(default_factory=dict)


def shares_of_lanes(lanes: Iterable[str], weights: Mapping[str, float]) -> dict[str, float]:
    """
    Scale the weights of the lanes that there are to a sum of 1.

    Raises:
        ValueError: all of them are 0.
    """
    chosen = {lane: weights[lane] for lane in lanes}
    total = sum(chosen.values())
    if total <= 0:
        raise ValueError(f"the lanes {', '.join(chosen)} all have the weight 0; give one of them more")
    return {lane: weight / total for lane, weight in chosen.items()}


def combine(results: Iterable[LaneResult], weights: Mapping[str, float]) -> dict[int, float]:
    """
    Combine the lanes' scores of each page.

    Returns:
        Page id to score, from 0 to the sum of the weights; a lane that did not find a page gives it nothing.
    """
    combined: dict[int, float] = {}
    for result in results:
        best = max((page.score for page in result.pages), default=result.minimum)
        span = best - result.minimum
        for page in result.pages if span > 0 else ():
            share = max(page.score - result.minimum, 0.0) / span * result.damped.get(page.page_id, 1.0)
            combined[page.page_id] = combined.get(page.page_id, 0.0) + weights[result.name] * share
    return combined


def reciprocal_ranks(
    results: Iterable[LaneResult], weights: Mapping[str, float], constant: int = 60
) -> dict[int, float]:
    """
    Combine ranks instead, for lanes whose scores have no scale (Cormack et al., SIGIR 2009).

    Returns:
        Page id to score, on the scale of `combine`: a lane's first page gets its whole weight.
    """
    combined: dict[int, float] = {}
    for result in results:
        for rank, page in enumerate(result.pages, start=1):
            share = (constant + 1) / (constant + rank) * result.damped.get(page.page_id, 1.0)
            combined[page.page_id] = combined.get(page.page_id, 0.0) + weights[result.name] * share
    return combined


def document_means(
    scores: Mapping[int, float], document_of: Mapping[int, int], best: int
) -> dict[int, float]:
    """Judge each document by the mean score of its best pages; a missing page counts as 0."""
    by_document: dict[int, list[float]] = {}
    for page_id, score in scores.items():
        by_document.setdefault(document_of[page_id], []).append(score)
    return {document: sum(sorted(found)[-best:]) / best for document, found in by_document.items()}
