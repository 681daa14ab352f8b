"""The answers of a run, measured: how right they are, what they cite, what they were given, when they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from ragvl.evals.metrics import (
    Scores,
    evaluate_answers,
    evaluate_citations,
    evaluate_refusal,
    score_context,
    score_regions,
)
from ragvl.evals.types import EvalSet, QueryResult, SystemAnswer

__all__ = ["answer_scores"]

_OF_ALL_CITATIONS = ("outside_context", "verified")


def answer_scores(
    corpus: EvalSet, results: Mapping[str, QueryResult], *, searched: bool
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """
    Measure answers.

    Args:
        results: query id to result; one without an answer failed.
        searched: whether the system chose what it answered from: else neither its context nor its refusals say
            anything of it.

    Returns:
        Metric to query id to value; and metrics of the run as a whole, which no query has a value of.
    """
    queries = [query for query in corpus.queries if query.id in results]
    answers = {query: result.answer for query, result in results.items() if result.answer}
    relevance = {query: judged for query, judged in corpus.relevance.items() if query in results}
    per_query: dict[str, dict[str, float]] = {}
    figures: dict[str, float] = {}
    if corpus.answer_rule:
        right = evaluate_answers(queries, answers, corpus.answer_rule)
        _add(per_query, figures, _renamed(right.scores, "answer."), _prefixed(right.figures, "answer."))
    cited = evaluate_citations(relevance, answers)
    of_all = {name: value for name, value in cited.figures.items() if name in _OF_ALL_CITATIONS}
    rest = {name: value for name, value in cited.figures.items() if name not in _OF_ALL_CITATIONS}
    _add(per_query, figures, cited.scores, {**rest, **_prefixed(of_all, "citation_")})
    _add(per_query, figures, _region_scores(corpus, results, answers), {})
    if searched:
        refused = evaluate_refusal(queries, answers)
        if any(query.answerable is False for query in queries):
            _add(per_query, figures, refused.scores, refused.figures)
        _add(per_query, figures, _context_scores(relevance, answers), {})
    return per_query, figures


def _context_scores(
    relevance: Mapping[str, Mapping[str, int]], answers: Mapping[str, SystemAnswer]
) -> dict[str, dict[str, float]]:
    """Share of the judged pages that were given to the generator, however many it was given."""
    longest = max((len(answer.context) for answer in answers.values()), default=0)
    if not relevance or not longest:
        return {}
    measure = f"recall@{longest}"
    scores = score_context(relevance, answers, (measure,))
    return {query: {"context_recall": row[f"context_{measure}"]} for query, row in scores.items()}


def _region_scores(
    corpus: EvalSet, results: Mapping[str, QueryResult], answers: Mapping[str, SystemAnswer]
) -> dict[str, dict[str, float]]:
    pages = {page.id: page for page in corpus.pages if page.image or page.size_pt}
    boxes = {
        place: drawn for place, drawn in corpus.boxes.items() if place[0] in results and place[1] in pages
    }

    @cache
    def size_of(page_id: str) -> tuple[float, float]:
        page = pages[page_id]
        if page.image is None:
            return page.size_pt or (0.0, 0.0)
        width, height = page.image().size
        return float(width), float(height)

    return score_regions(boxes, answers, size_of) if boxes else {}


def _add(
    per_query: dict[str, dict[str, float]],
    figures: dict[str, float],
    scores: Scores,
    sums: Mapping[str, float],
) -> None:
    """Turn scores round, metric first, and keep those sums that are not just their means."""
    for query in sorted(scores):
        for metric, value in scores[query].items():
            per_query.setdefault(metric, {})[query] = value
    figures.update({name: value for name, value in sums.items() if name not in per_query})


def _renamed(scores: Scores, prefix: str) -> dict[str, dict[str, float]]:
    return {query: _prefixed(row, prefix) for query, row in scores.items()}


def _prefixed(values: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {f"{prefix}{name}": value for name, value in values.items()}
