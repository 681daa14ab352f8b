"""Results by group."""

from __future__ import annotations

from ragvl.evals.metrics import group_queries, group_scores
from ragvl.evals.types import EvalQuery

QUERIES = (
    EvalQuery("1", "?", language="fr", groups={"source": ("Table", "Chart"), "type": ("report",)}),
    EvalQuery("2", "?", language="en", groups={"source": ("Chart", "Chart")}),
    EvalQuery("3", "?", groups={"source": ()}),
)


def test_queries_are_grouped_by_language_and_by_their_groups() -> None:
    """Sorted, each query once a value; without a value in no group."""
    assert group_queries(QUERIES) == {
        "language": {"en": ("2",), "fr": ("1",)},
        "source": {"Chart": ("1", "2"), "Table": ("1",)},
        "type": {"report": ("1",)},
    }
    assert list(group_queries(QUERIES)["source"]) == ["Chart", "Table"]


def test_groups_have_means_of_what_was_scored() -> None:
    """A query without a score is not counted; a group without one is not there."""
    groups = group_scores({"1": {"map": 0.2}, "3": {"map": 1.0}}, QUERIES)
    assert {dimension: set(values) for dimension, values in groups.items()} == {
        "language": {"fr"},
        "source": {"Chart", "Table"},
        "type": {"report"},
    }
    assert groups["source"]["Chart"].means == {"map": 0.2}
    assert groups["source"]["Chart"].scores == {"1": {"map": 0.2}}
