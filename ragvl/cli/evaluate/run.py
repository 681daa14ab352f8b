"""`ragvl eval run`: put a set's questions to a system, and measure what comes back."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ragvl.cli.evaluate import options, session
from ragvl.cli.evaluate.thresholds import check_retrieval_metrics, read_thresholds, shortfalls
from ragvl.cli.options import JsonOption, SetOption, read_settings
from ragvl.cli.problems import EXIT_FAILED, EXIT_STOPPED

if TYPE_CHECKING:
    from ragvl.evals.records import RunRequest, StoredRun
    from ragvl.evals.types import EvalSet

__all__ = ["run"]

DatasetArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="DATASET", help="A known set (`ragvl eval list`), or a folder of documents and questions."
    ),
]


def run(
    context: typer.Context,
    dataset: DatasetArgument = None,
    data: options.DataOption = None,
    revision: options.RevisionOption = "",
    system: options.SystemOption = "ragvl",
    profile: options.SystemProfileOption = None,
    settings: SetOption = None,
    index: options.GivenIndexOption = None,
    read: options.ReadOption = "auto",
    k: options.KOption = 100,
    in_document: options.InDocumentOption = True,
    answers: options.AnswersOption = None,
    oracle: options.OracleOption = False,
    limit: options.LimitOption = None,
    language: options.LanguageOption = "",
    work: options.WorkOption = options.DEFAULT_WORK,
    out: options.RunFolderOption = None,
    resume: options.ResumeOption = None,
    fail_under: options.FailUnderOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Put a set's questions to a system and measure what it finds, answers and cites.

    Every run is kept in a folder: what was asked for, on what, each outcome, the metrics. Ctrl-C stops at any time;
    --resume goes on from there.
    """
    thresholds = read_thresholds(fail_under)
    asked: dict[str, Any] = {
        "dataset": _absolute(dataset) if dataset else "",
        "data": data.resolve() if data else None,
        "revision": revision,
        "system": system,
        "profile": profile,
        "settings": read_settings(settings),
        "index": index.resolve() if index else None,
        "work": work.resolve(),
        "read": read,
        "k": k,
        "in_document": in_document,
        "answers": answers,
        "oracle": oracle,
        "limit": limit,
        "language": language,
    }
    if resume is not None:
        if out is not None:
            raise typer.BadParameter("--resume goes on in the run's own folder: leave out --out.")
        request, folder = session.resumed_request(resume, _only_given(context, asked)), resume
        corpus = session.load_dataset(request)
    else:
        if dataset is None:
            raise typer.BadParameter("name a dataset: a known set (`ragvl eval list`) or a folder.")
        request, corpus = session.new_request(asked)
        folder = out or session.new_run_folder(request, corpus)
    _check(thresholds, request, corpus)
    done = _run(request, corpus, folder, resume=resume is not None)
    _tell(done, thresholds, as_json)


def _only_given(context: typer.Context, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what stood on the command line: a resumed run takes the rest from what it was begun with."""
    return {
        name: value
        for name, value in asked.items()
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }


def _check(thresholds: Mapping[str, float], request: RunRequest, corpus: EvalSet) -> None:
    from ragvl.evals.scoring import retrieval_measures

    check_retrieval_metrics(tuple(thresholds), retrieval_measures(corpus.main_metric, request.k))


def _run(request: RunRequest, corpus: EvalSet, folder: Path, *, resume: bool) -> StoredRun:
    from ragvl.cli.evaluate.progress import show_run_progress
    from ragvl.cli.terminal import errors
    from ragvl.evals.harness import evaluate, make_system
    from ragvl.evals.run_folder import RunFolder

    try:
        with show_run_progress(errors()) as progress:
            system = make_system(request, progress.indexed)
            try:
                return evaluate(
                    request,
                    corpus,
                    system,
                    RunFolder(folder),
                    resume=resume,
                    command=("ragvl", *sys.argv[1:]),
                    progress=progress.asked,
                )
            finally:
                system.close()
    except KeyboardInterrupt:
        _tell_stopped(folder)


def _tell_stopped(folder: Path) -> NoReturn:
    from ragvl.cli.terminal import errors
    from ragvl.evals.run_folder import RunFolderError, load_run

    try:
        kept = load_run(folder)
    except RunFolderError:
        advice = "stopped before the first query; the same command goes on with the index"
    else:
        count = f"{len(kept.outcomes):,} of {len(kept.queries):,} queries"
        advice = f"stopped after {count}; go on with: ragvl eval run --resume {folder}"
    errors().print(advice, style="yellow", soft_wrap=True)
    raise typer.Exit(EXIT_STOPPED)


def _tell(done: StoredRun, thresholds: Mapping[str, float], as_json: bool) -> None:
    from ragvl.cli.evaluate.run_report import print_run, run_json
    from ragvl.cli.terminal import errors, results, write_json

    missed = shortfalls(done.metrics.metrics if done.metrics else {}, thresholds)
    if as_json:
        write_json({**run_json(done), "missed": missed})
    else:
        print_run(results(), done)
        for line in missed:
            errors().print(f"--fail-under: {line}", style="bold red", soft_wrap=True)
    if missed:
        raise typer.Exit(EXIT_FAILED)


def _absolute(dataset: str) -> str:
    """Name a folder or file so that the run can be resumed from anywhere; a known set keeps its name."""
    path = Path(dataset)
    return str(path.resolve()) if path.exists() else dataset
