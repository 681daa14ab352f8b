"""What a run is worth: the outcomes of its queries, measured."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ragvl.evals.answer_scores import answer_scores
from ragvl.evals.metrics import score_run
from ragvl.evals.records import Estimate, Latency, Outcome, RunMetrics
from ragvl.evals.statistics import mean_interval
from ragvl.evals.types import EvalSet, IndexingFigures, QueryResult

__all__ = ["measure_run", "retrieval_measures"]

PerQuery = dict[str, dict[str, float]]  # metric to query id to value
_MEASURES = ("ndcg@1", "ndcg@5", "ndcg@10", "recall@1", "recall@5", "recall@10", "mrr@10")


def retrieval_measures(main: str, k: int) -> tuple[str, ...]:
    """Name the retrieval measures of a run whose searches find k pages: the main one, the usual ones, recall at k."""
    measures = dict.fromkeys((main, *_MEASURES, f"recall@{k}"))
    return tuple(measure for measure in measures if _cutoff(measure) <= k)


def measure_run(
    corpus: EvalSet,
    outcomes: Mapping[str, Outcome],
    k: int,
    indexing: IndexingFigures,
    peak_memory_bytes: int,
) -> RunMetrics:
    """
    Measure a finished run.

    Args:
        corpus: with the queries that were asked.
        outcomes: query id to outcome, of all of them; their order does not matter.
        k: pages that a search could find.
    """
    ordered = [outcomes[query.id] for query in corpus.queries]
    per_query, figures = _all_scores(corpus, ordered, k)
    metrics = {name: _estimate(values.values()) for name, values in per_query.items()}
    metrics |= {name: Estimate(value, None, None, len(ordered)) for name, value in figures.items()}
    return RunMetrics(
        main=corpus.main_metric,
        metrics=metrics,
        groups=_groups(corpus, per_query),
        per_query=per_query,
        counts=_counts(corpus, ordered),
        latencies=_latencies(ordered),
        pages_per_s=indexing.pages / indexing.seconds if indexing.seconds else None,
        bytes_per_page=indexing.bytes / indexing.pages if indexing.bytes and indexing.pages else None,
        peak_memory_bytes=peak_memory_bytes,
    )


def _all_scores(corpus: EvalSet, outcomes: Sequence[Outcome], k: int) -> tuple[PerQuery, Mapping[str, float]]:
    per_query = _retrieval(corpus, {one.query: one.result for one in outcomes}, k, "")
    inside = {one.query: one.in_document for one in outcomes if one.in_document is not None}
    per_query |= _retrieval(corpus, inside, k, "in_document.")
    figures: dict[str, float] = {}
    for prefix, results in (
        ("", {one.query: one.result for one in outcomes}),
        ("oracle.", {one.query: one.oracle for one in outcomes if one.oracle is not None}),
    ):
        if any(result.answer for result in results.values()):
            scores, sums = answer_scores(corpus, results, searched=not prefix)
            per_query |= {f"{prefix}{name}": values for name, values in scores.items()}
            figures |= {f"{prefix}{name}": value for name, value in sums.items()}
    return per_query, figures


def _retrieval(corpus: EvalSet, results: Mapping[str, QueryResult], k: int, prefix: str) -> PerQuery:
    """Score searches; one that failed has found nothing."""
    relevance = {query: judged for query, judged in corpus.relevance.items() if query in results}
    if not relevance:
        return {}
    measures = retrieval_measures(corpus.main_metric, k)
    run = {query: results[query].scores for query in relevance}
    scores = score_run(relevance, run, measures)
    return {
        f"{prefix}{measure}": {query: scores[query][measure] for query in sorted(scores)}
        for measure in measures
    }


def _groups(corpus: EvalSet, per_query: PerQuery) -> dict[str, dict[str, dict[str, Estimate]]]:
    members: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for query in corpus.queries:
        for dimension, values in query.groups.items():
            for value in values:
                members[dimension][value].add(query.id)
    found = {
        dimension: {value: _of_group(per_query, ids) for value, ids in sorted(values.items())}
        for dimension, values in members.items()
    }
    return {
        dimension: {value: one for value, one in values.items() if one} for dimension, values in found.items()
    }


def _of_group(per_query: PerQuery, ids: set[str]) -> dict[str, Estimate]:
    chosen = {
        name: [values[query] for query in sorted(ids & values.keys())] for name, values in per_query.items()
    }
    return {name: _estimate(values) for name, values in chosen.items() if values}


def _estimate(values: Iterable[float]) -> Estimate:
    interval = mean_interval(list(values))
    return Estimate(interval.mean, interval.low, interval.high, interval.count)


def _counts(corpus: EvalSet, outcomes: Sequence[Outcome]) -> dict[str, int]:
    answers = [one.result.answer for one in outcomes if one.result.answer]
    counts = {
        "queries": len(outcomes),
        "judged": len(corpus.relevance),
        "unjudged": len(outcomes) - len(corpus.relevance),
        "failed": sum(bool(one.errors) for one in outcomes),
        "nothing found": sum(not one.result.scores and not one.result.error for one in outcomes),
    }
    if answers:
        counts |= {"answered": len(answers), "refused": sum(answer.refused for answer in answers)}
    return counts


def _latencies(outcomes: Sequence[Outcome]) -> dict[str, Latency]:
    parts: dict[str, Callable[[Outcome], float | None]] = {
        "search": lambda one: one.result.search_s if not one.result.error else None,
        "in_document.search": lambda one: _sound(one.in_document, "search_s"),
        "answer": lambda one: one.result.answer_s if one.result.answer else None,
        "oracle.answer": lambda one: _sound(one.oracle, "answer_s"),
    }
    found = {name: [s for s in map(part, outcomes) if s is not None] for name, part in parts.items()}
    return {name: _latency(seconds) for name, seconds in found.items() if seconds}


def _sound(result: QueryResult | None, field: str) -> float | None:
    return None if result is None or result.error else float(getattr(result, field))


def _latency(seconds: Sequence[float]) -> Latency:
    ordered = sorted(seconds)
    nearest = [ordered[max(0, math.ceil(share * len(ordered)) - 1)] for share in (0.5, 0.95)]
    return Latency(nearest[0], nearest[1], math.fsum(ordered) / len(ordered), len(ordered))


def _cutoff(measure: str) -> float:
    _, _, cutoff = measure.partition("@")
    return int(cutoff) if cutoff else 0
