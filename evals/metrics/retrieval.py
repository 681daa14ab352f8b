"""
Retrieval measures with trec_eval's arithmetic, over all queries at once.

Per query, and equal to trec_eval bit for bit (sums run in the order of the ranks, logarithms are the C library's):

- "ndcg@K": linear gain (the grade itself) over log2(rank + 1), divided by the best that the judgements allow;
- "recall@K": relevant pages found, of all relevant pages; "p@K": of K, however few results there are;
- "success@K": 1 when a relevant page is found, else 0;
- "map", "map@K": mean over the relevant pages of the precision at their rank, 0 for those not found;
- "mrr", "mrr@K": 1 / rank of the first relevant page; trec_eval's recip_rank, which has no cutoff of its own.

Relevant is a grade of 1 or more; grades of 0 and below count as not judged. A query whose judged pages are all
irrelevant scores 0 throughout.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragvl.evals.metrics.measures import Measure, parse_measure
from ragvl.evals.metrics.ranks import NOT_FOUND, RelevantPages, rank_relevant
from ragvl.evals.types import Run

__all__ = ["Scores", "mean_scores", "score_run"]

Scores = Mapping[str, Mapping[str, float]]  # query id -> measure -> value

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def score_run(
    relevance: Mapping[str, Mapping[str, int]], run: Run, measures: Iterable[str]
) -> dict[str, dict[str, float]]:
    """
    Return every judged query's value of every measure.

    Every query with a judgement is there, in the order of the judgements: one that the run lacks scores 0. Queries of
    the run without a judgement are left out.

    Args:
        relevance: query id to page id to grade.
        measures: names as the module's description lists them.

    Raises:
        ValueError: a measure's name is not one of these.
    """
    wanted = [parse_measure(name) for name in measures]
    pages = rank_relevant(relevance, run)
    hits = _hits(pages)
    columns = [_FORMULAS[measure.kind](hits, measure).tolist() for measure in wanted]
    names = [measure.name for measure in wanted]
    rows = zip(*columns, strict=True) if columns else [()] * len(pages.queries)
    return {query: dict(zip(names, row, strict=True)) for query, row in zip(pages.queries, rows, strict=True)}


def mean_scores(scores: Scores) -> dict[str, float]:
    """Return the mean of every measure over the queries that have it; the order of the queries does not matter."""
    values: dict[str, list[float]] = {}
    for row in scores.values():
        for measure, value in row.items():
            values.setdefault(measure, []).append(value)
    return {measure: math.fsum(column) / len(column) for measure, column in values.items()}


@dataclass(frozen=True, slots=True)
class _Hits:
    """
    Relevant pages that were found, by query and rank, and what could have been found.

    Attributes:
        count: number of queries.
        query, grade, rank: (m,) of each hit; rank from 0.
        nth: (m,) from 1: the first relevant page of its query, the second.
        best_query, best_grade, best_rank: (n,) the same of the best ranking that there could be.
        relevant: (count,) number of relevant pages.
    """

    count: int
    query: Integers
    grade: Floats
    rank: Integers
    nth: Integers
    best_query: Integers
    best_grade: Floats
    best_rank: Integers
    relevant: Integers


def _hits(pages: RelevantPages) -> _Hits:
    found = np.flatnonzero(pages.rank != NOT_FOUND)
    found = found[np.lexsort((pages.rank[found], pages.query[found]))]
    best = np.lexsort((-pages.grade, pages.query))
    return _Hits(
        count=len(pages.queries),
        query=pages.query[found],
        grade=pages.grade[found].astype(np.float64),
        rank=pages.rank[found],
        nth=_place_in_query(pages.query[found]) + 1,
        best_query=pages.query[best],
        best_grade=pages.grade[best].astype(np.float64),
        best_rank=_place_in_query(pages.query[best]),
        relevant=np.bincount(pages.query, minlength=len(pages.queries)),
    )


def _place_in_query(query: Integers) -> Integers:
    """(n,) place from 0 among the entries of the same query, which lie together."""
    return np.arange(len(query), dtype=np.int64) - np.searchsorted(query, query)


def _ndcg(hits: _Hits, measure: Measure) -> Floats:
    gain = _discounted(hits.count, hits.query, hits.grade, hits.rank, measure)
    best = _discounted(hits.count, hits.best_query, hits.best_grade, hits.best_rank, measure)
    return _divide(gain, best)


def _discounted(count: int, query: Integers, grade: Floats, rank: Integers, measure: Measure) -> Floats:
    """(count,) sum over the ranks inside the cutoff of grade / log2(rank + 1), in the order of the ranks."""
    inside = _inside(rank, measure)
    ranks, places = np.unique(rank[inside], return_inverse=True)
    # numpy's log2 may differ from the C library's in the last bit
    logarithms = np.array([math.log2(each + 2) for each in ranks.tolist()], dtype=np.float64)
    return _sum_by_query(count, query[inside], grade[inside] / logarithms[places])


def _recall(hits: _Hits, measure: Measure) -> Floats:
    return _divide(_found(hits, measure), hits.relevant)


def _precision(hits: _Hits, measure: Measure) -> Floats:
    return _found(hits, measure) / np.float64(measure.cutoff)


def _success(hits: _Hits, measure: Measure) -> Floats:
    return (_found(hits, measure) > 0).astype(np.float64)


def _average_precision(hits: _Hits, measure: Measure) -> Floats:
    inside = _inside(hits.rank, measure)
    precisions = hits.nth[inside] / (hits.rank[inside] + 1)
    return _divide(_sum_by_query(hits.count, hits.query[inside], precisions), hits.relevant)


def _reciprocal_rank(hits: _Hits, measure: Measure) -> Floats:
    first = _inside(hits.rank, measure) & (hits.nth == 1)
    values = np.zeros(hits.count)
    values[hits.query[first]] = 1.0 / (hits.rank[first] + 1)
    return values


def _found(hits: _Hits, measure: Measure) -> Integers:
    return np.bincount(hits.query[_inside(hits.rank, measure)], minlength=hits.count)


def _inside(rank: Integers, measure: Measure) -> NDArray[np.bool_]:
    return rank < measure.cutoff if measure.cutoff is not None else np.ones(len(rank), dtype=np.bool_)


def _sum_by_query(count: int, query: Integers, values: Floats) -> Floats:
    # bincount adds one value after the other, as trec_eval does; sum and reduceat add in pairs
    return np.bincount(query, weights=values, minlength=count).astype(np.float64, copy=False)


def _divide(value: NDArray[np.float64] | Integers, by: NDArray[np.float64] | Integers) -> Floats:
    """(n,) quotients, 0 where nothing is relevant."""
    return np.divide(value, by, out=np.zeros(len(value)), where=by > 0)


_FORMULAS = {
    "ndcg": _ndcg,
    "recall": _recall,
    "p": _precision,
    "success": _success,
    "map": _average_precision,
    "mrr": _reciprocal_rank,
}
