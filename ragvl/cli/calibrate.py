"""`ragvl calibrate`: when to refuse, chosen on one's own questions with a promise about the answers that are given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragvl.cli import session
from ragvl.cli.options import (
    IndexOption,
    JsonOption,
    OutOption,
    ProfileOption,
    SetOption,
    read_settings,
)
from ragvl.cli.problems import EXIT_FAILED

if TYPE_CHECKING:
    from ragvl.evals.calibration import Calibrated
    from ragvl.evals.support_examples import Examples
    from ragvl.evals.types import EvalSet
    from ragvl.library import Library

__all__ = ["calibrate"]

QuestionsArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="SET", help="A folder of documents and questions, or a known set (`ragvl eval list`)."
    ),
]
ErrorOption = Annotated[
    float,
    typer.Option(
        "--error", metavar="SHARE", help="Of the answers given, cite a wrong page in this share at most."
    ),
]
ConfidenceOption = Annotated[
    float, typer.Option("--confidence", metavar="SHARE", help="How sure that shall be, from 0 to 1.")
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="A local copy of the data of a known set, in place of the Hub."
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Tell what would be chosen, and change nothing.")
]
ResetOption = Annotated[bool, typer.Option("--reset", help="Go back to the shipped threshold.")]
ShowOption = Annotated[bool, typer.Option("--show", help="Show what each threshold costs, in the browser.")]


def calibrate(
    questions: QuestionsArgument = None,
    error: ErrorOption = 0.1,
    confidence: ConfidenceOption = 0.95,
    data: DataOption = None,
    dry_run: DryRunOption = False,
    reset: ResetOption = False,
    show: ShowOption = False,
    out: OutOption = None,
    index_folder: IndexOption = None,
    profile: ProfileOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Choose when to refuse, on your own questions: of the answers given, at most a stated share cites a wrong page.

    The index keeps the threshold, and every answer follows it. Exit 1, with nothing changed, when these questions
    cannot show that any threshold keeps to the share.
    """
    if reset == (questions is not None):
        raise typer.BadParameter("name a set of questions, or give --reset.")
    for name, value in (("--error", error), ("--confidence", confidence)):
        if not 0 < value < 1:
            raise typer.BadParameter(f"{name} {value:g}: write a share between 0 and 1, such as 0.1.")
    with session.open_library(index_folder, profile, read_settings(settings)) as library:
        if questions is None:
            _reset(library, as_json=as_json)
            return
        corpus = _load(questions, data)
        examples = _ask(library, corpus)
        calibrated, kept = _choose(library, corpus, examples, error, confidence, keep=not dry_run)
        configured = library.config.generator.refuse_below
    page = _write_page(corpus, calibrated, out) if show or out else None
    _tell(corpus, examples, calibrated, page, kept=kept, as_json=as_json, open_it=out is None)
    if kept and configured is not None:
        _warn(
            f"generator.refuse_below is set to {configured:g} and goes before the calibration: leave it out"
        )
    if calibrated.chosen is None:
        raise typer.Exit(EXIT_FAILED)


def _load(questions: str, data: Path | None) -> EvalSet:
    from ragvl.evals.datasets import load_set

    return load_set(questions, folder=data)


def _ask(library: Library, corpus: EvalSet) -> Examples:
    from ragvl.cli.terminal import errors
    from ragvl.evals.support_examples import collect

    with errors().status("asking the questions") as status:
        return collect(
            library, corpus, lambda done, total: status.update(f"asking the questions: {done} of {total}")
        )


def _choose(
    library: Library, corpus: EvalSet, examples: Examples, error: float, confidence: float, *, keep: bool
) -> tuple[Calibrated, bool]:
    from ragvl.evals.calibration import calibrate as choose
    from ragvl.evals.calibration import record
    from ragvl.evals.threshold import Promise

    calibrated = choose(examples, Promise(error, confidence))
    if calibrated.chosen is None or not keep:
        return calibrated, False
    library.keep_calibration(record(calibrated, calibrated.chosen, corpus.name, corpus.revision))
    return calibrated, True


def _write_page(corpus: EvalSet, calibrated: Calibrated, out: Path | None) -> Path:
    from ragvl.cli.shown import write_page
    from ragvl.evals.calibration_words import verdict
    from ragvl.evals.report import calibration_page

    title = f"Refusal on {corpus.name}"
    return write_page(calibration_page(corpus.name, verdict(calibrated), calibrated), title, out)


def _reset(library: Library, *, as_json: bool) -> None:
    from ragvl.cli.terminal import one_line, results, write_json

    before = library.calibration()
    library.keep_calibration(None)
    if as_json:
        write_json({"index": library.folder, "forgotten": before})
    elif before is None:
        results().print("the index holds no calibration of this generator: nothing to forget")
    else:
        told = f"forgotten: refused below {before.refuse_below:.3f}, chosen on {one_line(before.questions)}"
        results().print(f"{told}; the shipped threshold is back", soft_wrap=True)


def _tell(
    corpus: EvalSet,
    examples: Examples,
    calibrated: Calibrated,
    page: Path | None,
    *,
    kept: bool,
    as_json: bool,
    open_it: bool,
) -> None:
    from ragvl.cli.calibration_report import calibration_json, print_calibration
    from ragvl.cli.shown import tell_page
    from ragvl.cli.terminal import results, write_json

    if as_json:
        shown = {"shown": page} if page else {}
        write_json({**calibration_json(corpus, examples, calibrated), "kept": kept, **shown})
        return
    print_calibration(results(), corpus, examples, calibrated, kept=kept)
    if page:
        tell_page(results(), page, open_it=open_it)


def _warn(told: str) -> None:
    from ragvl.cli.terminal import errors

    errors().print(told, style="yellow", soft_wrap=True)
