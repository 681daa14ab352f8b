"""The nouns of a run that is kept: what was asked for, what it was run on, what came out, what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ragvl.evals.types import EvalQuery, IndexingFigures, QueryResult

__all__ = [
    "RUN_FORMAT",
    "DatasetRecord",
    "Estimate",
    "Latency",
    "Outcome",
    "RunMetrics",
    "RunRecord",
    "RunRequest",
    "StoredRun",
    "SystemRecord",
]

RUN_FORMAT = 1


@dataclass(frozen=True, slots=True)
class RunRequest:
    """
    What somebody asked for; a run that is resumed must be asked for the same.

    Attributes:
        dataset: as it was named: a known set, a folder or a file.
        data: a local copy of the data of a known set; None for the Hub, or where the dataset is a folder itself.
        revision: of a known set on the Hub; "" for the pinned one.
        system: a row of the table of systems.
        profile, settings: the system's configuration; settings are nested.
        index: a ready index to search in place of indexing the corpus.
        work: where indexes and page files are kept between runs.
        read: what pages are read from: "files", "images", "text", or "auto" for the first of them that there is.
        k: pages that a search may find.
        in_document: whether questions that name their document are searched for once more in it alone.
        answers: whether questions are answered as well as searched for.
        oracle: whether they are answered once more from the judged pages alone.
        limit: queries asked at most; None for all.
        language: ISO 639-1 code of the queries asked; "" for all.
    """

    dataset: str
    data: Path | None = None
    revision: str = ""
    system: str = "ragvl"
    profile: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    index: Path | None = None
    work: Path = Path(".ragvl-eval")
    read: str = "auto"
    k: int = 100
    in_document: bool = True
    answers: bool = False
    oracle: bool = False
    limit: int | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """
    Which data a run was made on; the first fields are those of `EvalSet`.

    Attributes:
        documents, pages: of the corpus; a count.
        queries: asked, after limit and language; a count.
        judged: those of them that have a judged page; a count.
        digest: SHA-256 of the queries that were asked and of their judgements.
    """

    name: str
    board: str
    revision: str
    main_metric: str
    answer_rule: str
    notes: tuple[str, ...]
    documents: int
    pages: int
    queries: int
    judged: int
    digest: str


@dataclass(frozen=True, slots=True)
class SystemRecord:
    """Which system was run; `configuration` is what its `describe` says."""

    name: str
    answers: bool
    configuration: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """
    How a run came about: `run.json`.

    Attributes:
        format: of the run's files.
        id: the name of its folder when it was made.
        command: the command line that started it.
        machine: system, processor, cores, memory, Python.
        packages: versions of ragvl and of the packages that metrics depend on.
        started_at, ended_at: UTC; no end while it is not finished.
        resumed_at: when it was taken up again, UTC.
        indexing: what indexing cost.
    """

    format: int
    id: str
    request: RunRequest
    dataset: DatasetRecord
    system: SystemRecord
    command: tuple[str, ...]
    machine: Mapping[str, str]
    packages: Mapping[str, str]
    indexing: IndexingFigures
    started_at: datetime
    ended_at: datetime | None = None
    resumed_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    Everything that was made of one query: a line of `results.jsonl`.

    Attributes:
        result: of the whole corpus.
        in_document: of a search of the query's own document only; None when the source names none.
        oracle: the answer from the judged pages alone; None when it was not asked for.
    """

    result: QueryResult
    in_document: QueryResult | None = None
    oracle: QueryResult | None = None

    @property
    def query(self) -> str:
        """Id of the query."""
        return self.result.query

    @property
    def errors(self) -> tuple[str, ...]:
        """Why parts of it failed; empty when none did."""
        parts = (self.result, self.in_document, self.oracle)
        return tuple(part.error for part in parts if part is not None and part.error)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `queries` queries and its 95 % interval; without bounds where none can be given."""

    mean: float
    low: float | None
    high: float | None
    queries: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds over `calls` calls that did not fail."""

    p50_s: float
    p95_s: float
    mean_s: float
    calls: int


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """
    What a run is worth: `metrics.json`.

    Attributes:
        main: the metric that stands for the run, such as "ndcg@10".
        metrics: name to estimate; "in_document." before the name for searches of the query's own document, "oracle."
            for answers from the judged pages.
        groups: dimension ("document type") to value ("Brochure") to metric to estimate.
        per_query: metric to query id to value, which comparisons are made of.
        counts: "queries", "judged", "failed" and the like.
        latencies: "search", "in_document.search", "answer", "oracle.answer".
        pages_per_s, bytes_per_page: of indexing; None when it was not measured.
        peak_memory_bytes: of the process that searched and answered.
    """

    main: str
    metrics: Mapping[str, Estimate]
    groups: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    per_query: Mapping[str, Mapping[str, float]]
    counts: Mapping[str, int]
    latencies: Mapping[str, Latency]
    pages_per_s: float | None
    bytes_per_page: float | None
    peak_memory_bytes: int


@dataclass(frozen=True, slots=True)
class StoredRun:
    """
    A run read back.

    Attributes:
        folder: where it lies.
        queries: those that were to be asked, in the order of the source.
        relevance: as in `EvalSet`, of these queries.
        outcomes: query id to outcome; of a run that was stopped, those that it has.
        metrics: None while the run is not finished.
    """

    folder: Path
    record: RunRecord
    queries: tuple[EvalQuery, ...]
    relevance: Mapping[str, Mapping[str, int]]
    outcomes: Mapping[str, Outcome]
    metrics: RunMetrics | None
