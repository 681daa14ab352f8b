"""From a set and a system to a run: every query is asked, whatever fails is noted, the same gives the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ragvl.errors import RagvlError
from ragvl.evals.harness import Asked, evaluate
from ragvl.evals.records import RunMetrics, RunRequest, StoredRun
from ragvl.evals.run_folder import RunFolder, load_run
from ragvl.evals.selection import select_queries
from ragvl.evals.types import EvalQuery, EvalSet
from tests.evals.fake_system import QUERIES, FakeSystem, make_set

REQUEST = RunRequest("made-up", k=20, answers=True, oracle=True)


def run(
    folder: Path,
    system: FakeSystem | None = None,
    corpus: EvalSet | None = None,
    request: RunRequest = REQUEST,
    *,
    resume: bool = False,
) -> StoredRun:
    """Evaluate a fake."""
    return evaluate(
        request,
        corpus or make_set(),
        system or FakeSystem(),
        RunFolder(folder),
        resume=resume,
        command=("x",),
    )


def lasting(run: StoredRun) -> RunMetrics:
    """Take out of a run's metrics what no two runs share: times and memory."""
    assert run.metrics is not None
    return replace(run.metrics, latencies={}, peak_memory_bytes=0)


def test_every_query_is_asked_and_read_back(tmp_path: Path) -> None:
    """A run returns what `load_run` reads: each query's outcome, the record, the metrics."""
    done = run(tmp_path / "run")
    assert load_run(tmp_path / "run") == done
    assert list(done.outcomes) == [f"q{number}" for number in range(QUERIES)]
    assert done.record.dataset.revision == "r1"
    assert (done.record.dataset.queries, done.record.dataset.judged) == (QUERIES, QUERIES - 2)
    assert done.record.system.configuration == {"weights": "abc"}
    assert done.record.ended_at is not None
    assert done.metrics is not None
    assert done.metrics.counts["judged"] == QUERIES - 2
    assert done.metrics.metrics["ndcg@5"].queries == QUERIES - 2
    assert done.metrics.pages_per_s == 10.0
    assert done.metrics.bytes_per_page == 200.0
    assert done.metrics.latencies["search"].calls == QUERIES


def test_groups_split_the_queries(tmp_path: Path) -> None:
    """The mean over all is the weighted mean over the values of a dimension."""
    metrics = run(tmp_path / "run").metrics
    assert metrics is not None
    parts = [metrics.groups["kind"][value]["ndcg@5"] for value in ("even", "odd")]
    total = sum(part.mean * part.queries for part in parts) / sum(part.queries for part in parts)
    assert total == pytest.approx(metrics.metrics["ndcg@5"].mean)


def test_values_that_no_query_was_measured_of_are_no_groups(tmp_path: Path) -> None:
    """Queries without judged pages, of a run without answers, make no empty row."""
    corpus = make_set()
    lone = replace(corpus.queries[-1], groups={"kind": ("lone",)})
    corpus = replace(corpus, queries=(*corpus.queries[:-1], lone))
    metrics = run(tmp_path / "run", corpus=corpus, request=RunRequest("made-up", k=20)).metrics
    assert metrics is not None
    assert list(metrics.groups["kind"]) == ["even", "odd"]


def test_the_order_of_queries_does_not_matter(tmp_path: Path) -> None:
    """Asked backwards, the same metrics come out, to the bit."""
    corpus = make_set()
    backwards = replace(corpus, queries=corpus.queries[::-1])
    one, other = run(tmp_path / "one"), run(tmp_path / "other", corpus=backwards)
    assert one.metrics is not None
    assert other.metrics is not None
    assert one.metrics.metrics == other.metrics.metrics
    assert one.metrics.groups == other.metrics.groups
    assert one.record.dataset == other.record.dataset


def test_a_query_that_fails_is_an_outcome(tmp_path: Path) -> None:
    """It scores 0, its error is kept, and the others are asked all the same."""

    def fail(query: EvalQuery) -> None:
        if query.id == "q3":
            raise RuntimeError("the model is gone")

    done = run(tmp_path / "run", FakeSystem(before_search=fail))
    sound = run(tmp_path / "sound")
    assert done.outcomes["q3"].errors == ("search: RuntimeError: the model is gone",)
    assert len(done.outcomes) == QUERIES
    assert done.metrics is not None
    assert sound.metrics is not None
    assert done.metrics.per_query["recall@20"]["q3"] == 0.0
    assert sound.metrics.per_query["recall@20"]["q3"] == 1.0
    assert done.metrics.counts["failed"] == 1
    assert done.metrics.per_query["in_document.ndcg@5"] == sound.metrics.per_query["in_document.ndcg@5"]
    assert done.metrics.latencies["search"].calls == QUERIES - 1


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"d0#1": math.nan}, "gave page 'd0#1' the score nan"),
        ({"nowhere#1": 1.0}, "'nowhere#1', which is not in the corpus"),
        ({f"d{document}#{number}": 1.0 for document in range(4) for number in range(1, 6)}, "found 20 pages"),
    ],
)
def test_scores_that_cannot_be_are_errors(
    tmp_path: Path, found: Mapping[str, float], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A score that is no number, a page from elsewhere, and too many pages are the system's failures."""
    monkeypatch.setattr(FakeSystem, "search", lambda *_: found)
    done = run(tmp_path / "run", request=replace(REQUEST, k=10, answers=False, oracle=False))
    assert all(told in outcome.result.error for outcome in done.outcomes.values())
    assert done.metrics is not None
    assert done.metrics.metrics["recall@10"].mean == 0.0


def test_the_oracle_answers_from_the_judged_pages(tmp_path: Path) -> None:
    """Judged queries are answered twice: from what was found, and from what should have been."""
    system = FakeSystem()
    done = run(tmp_path / "run", system)
    assert ("q2", ("d2#3",)) in system.answered
    assert ("q2", ()) in system.answered
    assert done.outcomes["q11"].oracle is None
    assert done.metrics is not None
    assert done.metrics.metrics["oracle.citation_recall"].mean == 1.0
    assert done.metrics.metrics["answer.accuracy"].mean == 1.0
    assert done.metrics.metrics["citation_verified"].low is None
    assert done.metrics.metrics["refusal_accuracy"].mean == 1.0
    assert "oracle.refusal_accuracy" not in done.metrics.metrics


def test_a_question_s_own_document_is_searched_alone(tmp_path: Path) -> None:
    """It has metrics of its own, which can only be better here."""
    system = FakeSystem()
    metrics = run(tmp_path / "run", system).metrics
    assert ("q5", "d1") in system.searched
    assert metrics is not None
    assert metrics.metrics["in_document.recall@5"].mean == 1.0
    without = FakeSystem()
    run(tmp_path / "without", without, request=replace(REQUEST, in_document=False))
    assert {document for _, document in without.searched} == {""}


@pytest.mark.parametrize("option", ["answers", "oracle"])
def test_a_system_that_only_searches_is_not_asked_to_answer(tmp_path: Path, option: str) -> None:
    """It is told before anything is indexed."""
    request = replace(REQUEST, **{"answers": False, "oracle": False, option: True})
    with pytest.raises(RagvlError, match=f"fake only searches: leave out --{option}"):
        run(tmp_path / "run", FakeSystem(answers=False), request=request)
    assert not (tmp_path / "run").exists()


def test_a_run_is_never_written_over(tmp_path: Path) -> None:
    """A folder that holds something is refused."""
    (tmp_path / "thesis.txt").write_text("my only copy")
    with pytest.raises(RagvlError, match="is not empty"):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


# --- stopped, and gone on with --------------------------------------------------------------------


def stop_at(query_id: str) -> FakeSystem:
    """Make a system under which somebody presses Ctrl-C."""

    def stop(query: EvalQuery) -> None:
        if query.id == query_id:
            raise KeyboardInterrupt

    return FakeSystem(before_search=stop)


@pytest.mark.parametrize("torn", [b"", b'{"result": {"query": "q4", "sco'])
@pytest.mark.parametrize("stopped_at", ["q0", "q4", "q11"])
def test_a_stopped_run_is_gone_on_with(tmp_path: Path, stopped_at: str, torn: bytes) -> None:
    """It asks only what it has no outcome of, and ends as a run that was never stopped."""
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run(folder, stop_at(stopped_at))
    with (folder / "results.jsonl").open("ab") as file:
        file.write(torn)
    kept = load_run(folder)
    assert len(kept.outcomes) == int(stopped_at[1:])
    assert (kept.metrics, kept.record.ended_at) == (None, None)
    system = FakeSystem()
    done = run(folder, system, resume=True)
    # Each query once; and the first of them once more before, which is not measured.
    asked = [query for query, document in system.searched if document and query in kept.outcomes]
    assert asked == []
    whole = run(tmp_path / "whole")
    assert lasting(done) == lasting(whole)
    assert len((folder / "results.jsonl").read_text().splitlines()) == QUERIES
    assert len(done.record.resumed_at) == 1


@pytest.mark.parametrize(
    ("request_", "corpus", "system", "field"),
    [
        (replace(REQUEST, k=30), make_set(), FakeSystem(), "request.k was 20 and is 30 now"),
        (REQUEST, make_set("r2"), FakeSystem(), "dataset.revision was 'r1' and is 'r2' now"),
        (
            REQUEST,
            make_set(),
            FakeSystem(configuration={"weights": "xyz"}),
            "system.configuration.weights was 'abc' and is 'xyz' now",
        ),
        (
            REQUEST,
            make_set(),
            FakeSystem(configuration={"weights": "abc", "added": 1}),
            "system.configuration.added was not there and is 1 now",
        ),
        (
            REQUEST,
            replace(make_set(), relevance={"q0": {"d0#2": 1}}),
            FakeSystem(),
            "dataset.digest was",
        ),
    ],
)
def test_another_run_is_not_gone_on_with(
    tmp_path: Path, request_: RunRequest, corpus: EvalSet, system: FakeSystem, field: str
) -> None:
    """A request, data or configuration that differs is refused, naming the field and both values."""
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", stop_at("q4"))
    before = (tmp_path / "run" / "results.jsonl").read_bytes()
    with pytest.raises(RagvlError) as raised:
        run(tmp_path / "run", system, corpus, request_, resume=True)
    assert field in str(raised.value)
    assert (tmp_path / "run" / "results.jsonl").read_bytes() == before


def test_progress_counts_what_was_done_before(tmp_path: Path) -> None:
    """A resumed run goes on counting, and knows from where."""
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", stop_at("q4"))
    told: list[Asked] = []
    evaluate(
        REQUEST, make_set(), FakeSystem(), RunFolder(tmp_path / "run"), resume=True, progress=told.append
    )
    assert [one.done for one in told] == list(range(5, QUERIES + 1))
    assert {(one.before, one.total, one.failed) for one in told} == {(4, QUERIES, 0)}


# --- which queries --------------------------------------------------------------------------------


def test_a_limit_draws_the_same_queries_from_all_over() -> None:
    """Whatever the order of the set, and a larger limit draws the same ones and more."""
    corpus = make_set()
    few = select_queries(corpus, limit=4)
    again = select_queries(replace(corpus, queries=corpus.queries[::-1]), limit=4)
    more = select_queries(corpus, limit=8)
    ids = {query.id for query in few.queries}
    assert {query.id for query in again.queries} == ids
    assert ids < {query.id for query in more.queries}
    assert len(ids) == 4
    assert few.relevance.keys() <= ids
    assert few.pages == corpus.pages


def test_a_language_keeps_its_queries() -> None:
    """A language that there is none of is an error that says which there are."""
    kept = select_queries(make_set(), language="fr")
    assert [query.id for query in kept.queries] == ["q0", "q3", "q6", "q9"]
    with pytest.raises(RagvlError, match="no queries in 'de'; it has en, fr"):
        select_queries(make_set(), language="de")


def test_ids_that_occur_twice_are_refused() -> None:
    """Scores are joined on ids."""
    corpus = make_set()
    with pytest.raises(RagvlError, match="two pages with the id 'd0#1'"):
        select_queries(replace(corpus, pages=(*corpus.pages, corpus.pages[0])))
