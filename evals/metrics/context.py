"""Retrieval measures over the pages that reached the generator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ragvl.evals.metrics.retrieval import score_run
from ragvl.evals.types import SystemAnswer

__all__ = ["context_run", "score_context"]


def context_run(answers: Mapping[str, SystemAnswer]) -> dict[str, dict[str, float]]:
    """Return a run in which the pages given to the generator rank in the order in which they were given."""
    return {
        query: {page: -float(rank) for rank, page in enumerate(dict.fromkeys(answer.context))}
        for query, answer in answers.items()
    }


def score_context(
    relevance: Mapping[str, Mapping[str, int]],
    answers: Mapping[str, SystemAnswer],
    measures: Iterable[str] = ("recall@5",),
) -> dict[str, dict[str, float]]:
    """
    Return every judged query's value of every measure, named "context_recall@5" and so on.

    A query without an answer scores 0.

    Raises:
        ValueError: as `score_run`.
    """
    scores = score_run(relevance, context_run(answers), measures)
    return {
        query: {f"context_{measure}": value for measure, value in row.items()}
        for query, row in scores.items()
    }
