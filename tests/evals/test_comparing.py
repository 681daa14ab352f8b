"""Runs against each other: what is noise is called noise, and other data are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ragvl.errors import RagvlError
from ragvl.evals.comparing import compare_runs
from ragvl.evals.harness import evaluate
from ragvl.evals.records import RunRequest, StoredRun
from ragvl.evals.run_folder import RunFolder
from ragvl.evals.types import EvalQuery, EvalSet
from tests.evals.fake_system import FakeSystem, make_set


def run(folder: Path, system: FakeSystem, corpus: EvalSet | None = None) -> StoredRun:
    """Evaluate a fake without answers."""
    return evaluate(RunRequest("made-up"), corpus or make_set(), system, RunFolder(folder))


def failing(count: int) -> FakeSystem:
    """Make a system that fails on the first so many queries."""

    def fail(query: EvalQuery) -> None:
        if int(query.id[1:]) < count:
            raise RuntimeError("no")

    return FakeSystem(before_search=fail)


def test_three_runs_against_the_first(tmp_path: Path) -> None:
    """The same run again is inside the noise, one that fails on most queries is worse, and is told by how much."""
    base, again, worse = (
        run(tmp_path / "base", FakeSystem()),
        run(tmp_path / "again", FakeSystem()),
        run(tmp_path / "worse", failing(8)),
    )
    comparison = compare_runs([base, again, worse])
    assert comparison.runs == ("base", "again", "worse")
    row = next(row for row in comparison.metrics if row.metric == "recall@100")
    same, lower = row.others
    assert (same.difference.mean, same.verdict) == (0.0, "inside the noise")
    assert (row.first.mean, lower.own.mean) == (1.0, pytest.approx(0.2))
    assert lower.difference.mean == pytest.approx(-0.8)
    assert lower.difference.low is not None
    assert lower.difference.high is not None
    assert lower.difference.low < -0.8 < lower.difference.high < 0
    assert lower.verdict == "worse"
    backwards = compare_runs([worse, base])
    assert next(row for row in backwards.metrics if row.metric == "recall@100").others[0].verdict == "better"


@pytest.mark.parametrize(
    ("corpus", "told"),
    [
        (make_set("r2"), "dataset.revision is 'r1' and 'r2'"),
        (replace(make_set(), name="another"), "dataset.name is 'made-up' and 'another'"),
        (replace(make_set(), queries=make_set().queries[:-1]), "dataset.queries is 12 and 11"),
        (replace(make_set(), relevance={"q0": {"d0#2": 1}}), "differ: the queries or their judgements"),
        (replace(make_set(), pages=make_set().pages[:-1]), "dataset.pages is 20 and 19"),
    ],
)
def test_runs_on_other_data_are_refused(tmp_path: Path, corpus: EvalSet, told: str) -> None:
    """Each on its own: what differs is said."""
    one, other = run(tmp_path / "one", FakeSystem()), run(tmp_path / "other", FakeSystem(), corpus)
    with pytest.raises(RagvlError) as raised:
        compare_runs([one, other])
    assert told in str(raised.value)


def test_unfinished_and_single_runs_are_refused(tmp_path: Path) -> None:
    """There is nothing to compare."""
    done = run(tmp_path / "run", FakeSystem())
    with pytest.raises(RagvlError, match="at least two runs"):
        compare_runs([done])
    half = replace(done, metrics=None, outcomes={})
    with pytest.raises(RagvlError, match="is not finished, it has 0 of 12 queries"):
        compare_runs([done, half])
