"""Runs that never were: small, complete, and as the harness would have kept them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from PIL import Image

from ragvl.evals.records import (
    RUN_FORMAT,
    DatasetRecord,
    Estimate,
    Latency,
    Outcome,
    RunMetrics,
    RunRecord,
    RunRequest,
    StoredRun,
    SystemRecord,
)
from ragvl.evals.statistics import mean_interval
from ragvl.evals.types import (
    AnnotatedBox,
    CorpusPage,
    EvalQuery,
    EvalSet,
    IndexingFigures,
    QueryResult,
    SystemAnswer,
)

QUERIES = 12
STARTED = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)


class MakeRun(Protocol):
    """See `make_run`."""

    def __call__(
        self,
        name: str = "ragvl",
        scores: Sequence[float] | None = None,
        *,
        answers: bool = False,
        failed: Sequence[int] = (),
        **changes: str,
    ) -> StoredRun: ...


def queries() -> tuple[EvalQuery, ...]:
    """Twelve questions of two kinds."""
    return tuple(
        EvalQuery(
            id=f"q{number}",
            text=f"What was the profit in {2000 + number}?",
            document=f"d{number % 4}",
            answers=(str(number),),
            groups={"evidence source": ("table" if number % 2 else "text",)},
        )
        for number in range(QUERIES)
    )


@pytest.fixture
def pages() -> EvalSet:
    """The pages that the runs searched: images, one with a box."""
    corpus = tuple(
        CorpusPage(
            f"p{number}", f"d{number % 4}", number // 4 + 1, image=lambda: Image.new("RGB", (60, 80), "white")
        )
        for number in range(QUERIES)
    )
    boxes = {("q0", "p0"): (AnnotatedBox("a", 6.0, 8.0, 30.0, 16.0),)}
    return EvalSet("annual", "", "", "ndcg@10", (), corpus, queries(), relevance(), boxes)


def relevance() -> dict[str, dict[str, int]]:
    """Each query's page has its number."""
    return {f"q{number}": {f"p{number}": 1} for number in range(QUERIES)}


def _estimate(values: Mapping[str, float]) -> Estimate:
    interval = mean_interval(list(values.values()))
    return Estimate(interval.mean, interval.low, interval.high, interval.count)


def _outcome(number: int, score: float, *, answered: bool, failed: bool) -> Outcome:
    name = f"q{number}"
    if failed:
        return Outcome(QueryResult(name, {}, 0.0, error="OSError: the disk <went> away"))
    first = f"p{number}" if score == 1 else f"p{(number + 1) % QUERIES}"
    found = {first: 2.0, f"p{(number + 2) % QUERIES}": 1.0}
    answer = (
        SystemAnswer(str(number), number % 3 == 0, number / QUERIES, (), tuple(found)) if answered else None
    )
    return Outcome(QueryResult(name, found, 0.02, answer, 0.1))


@pytest.fixture
def make_run() -> MakeRun:
    """Make a finished run of a system whose scores are given, one a query."""

    def make(
        name: str = "ragvl",
        scores: Sequence[float] | None = None,
        *,
        answers: bool = False,
        failed: Sequence[int] = (),
        **changes: str,
    ) -> StoredRun:
        given = scores if scores is not None else [float(number % 3 == 0) for number in range(QUERIES)]
        values = {f"q{number}": 0.0 if number in failed else score for number, score in enumerate(given)}
        per_query = {"ndcg@10": values, "recall@10": values}
        if answers:
            per_query["answer.accuracy"] = values
            per_query["context_recall"] = values
            per_query["citation_f1"] = values
            per_query["oracle.answer.accuracy"] = dict.fromkeys(values, 1.0)
        tables = {query: value for query, value in values.items() if int(query[1:]) % 2}
        texts = {query: value for query, value in values.items() if not int(query[1:]) % 2}
        metrics = RunMetrics(
            main="ndcg@10",
            metrics={metric: _estimate(each) for metric, each in per_query.items()},
            groups={
                "evidence source": {
                    "table": {"ndcg@10": _estimate(tables)},
                    "text": {"ndcg@10": _estimate(texts)},
                }
            },
            per_query=per_query,
            counts={"queries": QUERIES, "answered": QUERIES, "refused": 4}
            if answers
            else {"queries": QUERIES},
            latencies={"search": Latency(0.02, 0.08, 0.03, QUERIES)},
            pages_per_s=12.5,
            bytes_per_page=9000.0,
            peak_memory_bytes=700 << 20,
        )
        dataset = changes.pop("dataset", "annual")
        told = {
            "board": "",
            "revision": "sha256:0123456789abcdef",
            "digest": "ab" * 32,
        } | changes
        record = RunRecord(
            format=RUN_FORMAT,
            id=f"annual-{name}",
            request=RunRequest("annual"),
            dataset=DatasetRecord(
                name=dataset, **told, main_metric="ndcg@10", answer_rule="", notes=("Two questions were left out.",),
                documents=4, pages=QUERIES, queries=QUERIES, judged=QUERIES,
            ),
            system=SystemRecord(name, answers, {"profile": "embedded"}),
            command=("ragvl", "eval", "run", "my questions"),
            machine={"processor": "a fast one"},
            packages={"ragvl": "0.1.0", "numpy": "2.3.1"},
            started_at=STARTED,
            ended_at=STARTED.replace(minute=34),
            indexing=IndexingFigures(QUERIES, 1.5, 108_000, 900 << 20, ("broken.pdf: not a PDF",)),
        )  # fmt: skip
        outcomes = {
            f"q{number}": _outcome(number, score, answered=answers, failed=number in failed)
            for number, score in enumerate(given)
        }
        return StoredRun(Path("runs") / name, record, queries(), relevance(), outcomes, metrics)

    return make
