"""
Ranks of relevant pages in a run, in trec_eval's order, for all queries at once.

The order: scores as float32, higher first; equal scores by page id in descending byte order of UTF-8, which is the
order of Python's strings. -0.0 equals 0.0. NaN ranks below every number; trec_eval itself leaves the place of a NaN
to its sort routine. Query and score of a result are packed into one integer; these are sorted once, and each relevant
page looks up its place. Only ids of equal scores are ever compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress, repeat

import numpy as np
from numpy.typing import NDArray

from ragvl.evals.types import Run

__all__ = ["NOT_FOUND", "RelevantPages", "rank_relevant"]

NOT_FOUND = -1
_FEW = 4  # so many are counted faster than sorted

Integers = NDArray[np.int64]
Keys = NDArray[np.uint64]
Result = Mapping[str, float]  # page id -> score


@dataclass(frozen=True, slots=True)
class RelevantPages:
    """
    The relevant pages of all queries, those of a query together.

    Attributes:
        queries: ids of the judged queries, in the order of the judgements.
        query: (n,) place in `queries` of each page.
        grade: (n,) from 1 up.
        rank: (n,) from 0; `NOT_FOUND` when the run lacks the page.
    """

    queries: tuple[str, ...]
    query: Integers
    grade: Integers
    rank: Integers


def rank_relevant(relevance: Mapping[str, Mapping[str, int]], run: Run) -> RelevantPages:
    """
    Rank what is relevant: pages with a grade of 1 or more.

    Queries whose judgements are empty are left out; a query that the run lacks has nothing found.
    """
    queries = tuple(query for query, grades in relevance.items() if grades)
    results = [run.get(query, {}) for query in queries]
    judged = [relevance[query] for query in queries]
    sizes = np.array([len(grades) for grades in judged], dtype=np.int64)
    count = int(sizes.sum())
    pairs = list(zip(results, judged, strict=True))
    grade = np.fromiter(chain.from_iterable(grades.values() for grades in judged), np.int64, count)
    contains = chain.from_iterable(map(result.__contains__, grades) for result, grades in pairs)
    is_found = np.fromiter(contains, np.bool_, count) & (grade > 0)
    scores = chain.from_iterable(map(result.get, grades, repeat(0.0)) for result, grades in pairs)
    score = np.fromiter(scores, np.float64, count)[is_found]
    query = np.repeat(np.arange(len(queries), dtype=np.int64), sizes)
    rank = np.full(count, NOT_FOUND, dtype=np.int64)
    if len(score):
        pages = list(compress(chain.from_iterable(judged), is_found.tolist()))
        rank[is_found] = _ranks(results, query[is_found], score, pages)
    is_relevant = grade > 0
    return RelevantPages(queries, query[is_relevant], grade[is_relevant], rank[is_relevant])


def _ranks(
    results: Sequence[Result], query: Integers, score: NDArray[np.float64], pages: Sequence[str]
) -> Integers:
    """(m,) ranks from 0 of pages that were found, by their query, score and id."""
    sizes = np.array([len(result) for result in results], dtype=np.int64)
    scores = chain.from_iterable(result.values() for result in results)
    unsorted = _keys(
        np.repeat(np.arange(len(results), dtype=np.int64), sizes),
        np.fromiter(scores, np.float64, int(sizes.sum())),
    )
    order = np.argsort(unsorted)
    keys = unsorted[order]
    sought = _keys(query, score)
    first = np.searchsorted(keys, sought)
    ranks = first - (np.cumsum(sizes) - sizes)[query]
    tied = np.flatnonzero(keys[np.minimum(first + 1, len(keys) - 1)] == sought)
    tied = tied[first[tied] + 1 < len(keys)]
    if len(tied):
        after = np.searchsorted(keys, sought[tied], side="right")
        ranks[tied] += _places_among_equals(
            list(zip(first[tied].tolist(), after.tolist(), strict=True)),
            [pages[place] for place in tied.tolist()],
            order,
            list(chain.from_iterable(results)),
        )
    return ranks


def _places_among_equals(
    spans: Sequence[tuple[int, int]], pages: Sequence[str], order: Integers, ids: Sequence[str]
) -> list[int]:
    """
    Places from 0 of pages among those with the same score.

    Args:
        spans: where in `order` the equals of each page lie.
        order: places in `ids` of all results, best first.
    """
    groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)  # span -> places of its pages
    for place, span in enumerate(spans):
        groups[span].append(place)
    among = [0] * len(pages)
    for (start, end), members in groups.items():
        equals = [ids[each] for each in order[start:end].tolist()]
        if len(members) <= _FEW:
            for place in members:
                among[place] = sum(map(pages[place].__lt__, equals))
        else:
            descending = {page: place for place, page in enumerate(sorted(equals, reverse=True))}
            for place in members:
                among[place] = descending[pages[place]]
    return among


def _keys(query: Integers, scores: NDArray[np.float64]) -> Keys:
    """(n,) integers that sort by query, then by score as float32, higher first."""
    with np.errstate(over="ignore"):  # beyond float32 is infinite, as in C
        singles = scores.astype(np.float32) + np.float32(0)  # turns -0.0 into 0.0
    bits = singles.view(np.uint32)
    # Positive floats sort as their bits do, negative ones the other way round.
    descending = np.where(bits >> 31 == 0, bits ^ np.uint32(0x7FFFFFFF), bits)
    descending[np.isnan(singles)] = 0xFFFFFFFF
    return (query.astype(np.uint64) << np.uint64(32)) | descending
