"""Results by language, document type, kind of evidence and whatever else the queries are grouped by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ragvl.evals.metrics.retrieval import Scores, mean_scores
from ragvl.evals.types import EvalQuery

__all__ = ["LANGUAGE", "GroupScores", "group_queries", "group_scores"]

LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class GroupScores:
    """
    The scores of one group of queries.

    Attributes:
        scores: those of its queries that were scored, in the order of the queries.
        means: measure to its mean.
    """

    scores: Scores
    means: Mapping[str, float]


def group_queries(queries: Iterable[EvalQuery]) -> dict[str, dict[str, tuple[str, ...]]]:
    """
    Return dimension to value to query ids; dimensions and values in sorted order, ids in the order of the queries.

    The dimension "language" is there when a query has one, unless the queries' own groups name it too. A query with
    several values of a dimension is in each of their groups, one without any in none.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for query in queries:
        language = {LANGUAGE: (query.language,)} if query.language else {}
        for dimension, values in (language | dict(query.groups)).items():
            for value in dict.fromkeys(values):
                found.setdefault(dimension, {}).setdefault(value, []).append(query.id)
    return {
        dimension: {value: tuple(found[dimension][value]) for value in sorted(found[dimension])}
        for dimension in sorted(found)
    }


def group_scores(scores: Scores, queries: Iterable[EvalQuery]) -> dict[str, dict[str, GroupScores]]:
    """Return dimension to value to the scores of its queries; groups of which no query was scored are left out."""
    result: dict[str, dict[str, GroupScores]] = {}
    for dimension, groups in group_queries(queries).items():
        for value, members in groups.items():
            of_group = {query: scores[query] for query in members if query in scores}
            if of_group:
                result.setdefault(dimension, {})[value] = GroupScores(of_group, mean_scores(of_group))
    return result
