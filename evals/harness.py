"""From a request to a run that is kept: index the corpus, ask every query, note each outcome, measure them all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ragvl.errors import RagvlError
from ragvl.evals.asking import Asker
from ragvl.evals.machine import describe_machine, package_versions
from ragvl.evals.memory import PeakMemory
from ragvl.evals.records import (
    RUN_FORMAT,
    DatasetRecord,
    Outcome,
    RunRecord,
    RunRequest,
    StoredRun,
    SystemRecord,
)
from ragvl.evals.resuming import check_same_run
from ragvl.evals.run_folder import RunFolder, load_run
from ragvl.evals.scoring import measure_run
from ragvl.evals.selection import queries_digest, select_queries
from ragvl.evals.systems.options import SystemOptions
from ragvl.evals.types import EvalQuery, EvalSet, System
from ragvl.registry import load
from ragvl.types import IndexProgress

__all__ = ["Asked", "evaluate", "make_system"]

_PACKAGES = ("ragvl", "numpy", "datasets")


@dataclass(frozen=True, slots=True)
class Asked:
    """
    How far a run is.

    Attributes:
        done, total, failed: queries; those done include those that failed.
        before: queries done before the run was resumed.
        elapsed_s: since it began, or was resumed.
    """

    done: int
    total: int
    failed: int
    before: int
    elapsed_s: float


def make_system(request: RunRequest, progress: Callable[[IndexProgress], None] | None = None) -> System:
    """
    Make the system that a request names.

    Raises:
        ConfigError, MissingExtraError: no such system, a setting that it does not have, or a package is missing.
    """
    options = SystemOptions(
        request.work, request.profile, request.settings, request.index, request.read, progress
    )
    system: System = load("eval_system", request.system)(options)
    return system


def evaluate(
    request: RunRequest,
    corpus: EvalSet,
    system: System,
    folder: RunFolder,
    *,
    resume: bool = False,
    command: Sequence[str] = (),
    progress: Callable[[Asked], None] | None = None,
) -> StoredRun:
    """
    Run an evaluation, or go on with one that was stopped.

    A query that fails is an outcome like any other. Whatever stops the run, the outcomes that it has stay.

    Args:
        corpus: the set with all its queries; limit and language are taken from the request.
        folder: where the run is kept; a new or empty one, or with `resume` that of the run.
        command: the command line, to be noted.

    Returns:
        The run, as `load_run` reads it.

    Raises:
        RagvlError: the system cannot do what is asked for, or the run to be resumed was another one.
        KeyboardInterrupt: it was stopped; resume it.
    """
    corpus = select_queries(corpus, language=request.language, limit=request.limit)
    _check_possible(request, corpus, system)
    dataset = _dataset_record(corpus)
    kept = load_run(folder.path) if resume else None
    if kept:
        check_same_run(kept, request=request, dataset=dataset)
        folder.drop_torn_line()
    else:
        folder.require_empty()
    indexing = system.index(corpus)
    described = SystemRecord(system.name, system.answers, _as_json(system.describe()))
    now = datetime.now(UTC)
    if kept:
        check_same_run(kept, system=described)
        record = replace(kept.record, resumed_at=(*kept.record.resumed_at, now))
        folder.write_record(record)
    else:
        record = RunRecord(
            format=RUN_FORMAT,
            id=folder.path.name,
            request=request,
            dataset=dataset,
            system=described,
            command=tuple(command),
            machine=describe_machine(),
            packages=package_versions(_PACKAGES),
            started_at=now,
            indexing=indexing,
        )
        folder.create(record, corpus.queries, corpus.relevance)
    outcomes = dict(kept.outcomes) if kept else {}
    with PeakMemory() as memory:
        _ask_all(_asker(system, request, corpus), corpus.queries, outcomes, folder, progress)
    metrics = measure_run(corpus, outcomes, request.k, record.indexing, memory.bytes)
    folder.write_metrics(metrics)
    folder.write_record(replace(record, ended_at=datetime.now(UTC)))
    return load_run(folder.path)


def _check_possible(request: RunRequest, corpus: EvalSet, system: System) -> None:
    """
    Check what is asked for against what the system can do.

    Raises:
        RagvlError: answers of a system that only searches, or from pages that nobody judged.
    """
    if (request.answers or request.oracle) and not system.answers:
        option = "--answers" if request.answers else "--oracle"
        raise RagvlError(f"{system.name} only searches: leave out {option}")
    if request.oracle and not corpus.relevance:
        raise RagvlError(f"the set {corpus.name!r} has no judged pages to answer from: leave out --oracle")


def _asker(system: System, request: RunRequest, corpus: EvalSet) -> Asker:
    pages = frozenset(page.id for page in corpus.pages)
    documents = frozenset(page.document for page in corpus.pages)
    return Asker(system, request, pages, documents, corpus.relevance)


def _ask_all(
    asker: Asker,
    queries: Sequence[EvalQuery],
    outcomes: dict[str, Outcome],
    folder: RunFolder,
    progress: Callable[[Asked], None] | None,
) -> None:
    """Ask the queries that have no outcome yet, and add theirs."""
    ahead = [query for query in queries if query.id not in outcomes]
    if ahead:
        with suppress(Exception):  # models are loaded by the first call, which is not measured
            asker.system.search(ahead[0], asker.request.k)
    started, before = time.monotonic(), len(outcomes)
    failed = sum(bool(outcome.errors) for outcome in outcomes.values())
    for query in ahead:
        outcome = asker.ask(query)
        folder.append(outcome)
        outcomes[query.id] = outcome
        failed += bool(outcome.errors)
        if progress:
            progress(Asked(len(outcomes), len(queries), failed, before, time.monotonic() - started))


def _dataset_record(corpus: EvalSet) -> DatasetRecord:
    return DatasetRecord(
        name=corpus.name,
        board=corpus.board,
        revision=corpus.revision,
        main_metric=corpus.main_metric,
        answer_rule=corpus.answer_rule,
        notes=corpus.notes,
        documents=len({page.document for page in corpus.pages}),
        pages=len(corpus.pages),
        queries=len(corpus.queries),
        judged=len(corpus.relevance),
        digest=queries_digest(corpus),
    )


def _as_json(described: Mapping[str, object]) -> Mapping[str, object]:
    """Bring a description into the form in which it is read back."""
    settled: Mapping[str, object] = json.loads(json.dumps(described))
    return settled
