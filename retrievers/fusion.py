"""
Fusing the rankings of lanes into one.

The convex combination of scores, each lane scaled between its theoretical minimum and its best score of the
query, is better than rank fusion when the scores have a scale, and needs hardly any tuning (Bruch et al., An
Analysis of Fusion Functions for Hybrid Retrieval, TOIS 2023).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragvl.protocols import ScoredPage


@dataclass(frozen=True, slots=True)
class LaneResult:
    """What one lane found: its share in the combination, and the lowest score that its scale knows."""

    name: str
    weight: float
    minimum: float
    pages: Sequence[ScoredPage]


def combine(results: Sequence[LaneResult]) -> dict[int, float]:
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
            share = max(page.score - result.minimum, 0.0) / span
            combined[page.page_id] = combined.get(page.page_id, 0.0) + result.weight * share
    return combined


def reciprocal_ranks(results: Sequence[LaneResult], constant: int = 60) -> dict[int, float]:
    """Combine ranks instead, for lanes whose scores have no scale (Cormack et al., SIGIR 2009)."""
    combined: dict[int, float] = {}
    for result in results:
        for rank, page in enumerate(result.pages, start=1):
            combined[page.page_id] = combined.get(page.page_id, 0.0) + result.weight / (constant + rank)
    return combined


def document_means(
    scores: Mapping[int, float], document_of: Mapping[int, int], best: int
) -> dict[int, float]:
    """Judge each document by the mean score of its best pages; a missing page counts as 0."""
    by_document: dict[int, list[float]] = {}
    for page_id, score in scores.items():
        by_document.setdefault(document_of[page_id], []).append(score)
    return {document: sum(sorted(found)[-best:]) / best for document, found in by_document.items()}
