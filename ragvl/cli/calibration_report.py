"""A calibration as a person reads it, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragvl.cli.quantities import counted
from ragvl.cli.terminal import one_line, print_block

if TYPE_CHECKING:
    from rich.console import Console

    from ragvl.evals.calibration import Calibrated
    from ragvl.evals.support_examples import Examples
    from ragvl.evals.threshold import Level
    from ragvl.evals.types import EvalSet

__all__ = ["calibration_json", "print_calibration"]


def calibration_json(corpus: EvalSet, examples: Examples, calibrated: Calibrated) -> dict[str, Any]:
    """Everything that was found, as values that `write_json` takes."""
    return {
        "questions": {
            "set": corpus.name,
            "revision": corpus.revision,
            "asked": examples.asked,
            "unanswerable": int((~examples.answerable).sum()),
            "documents": calibrated.documents,
            "refused_whatever_the_threshold": examples.silent,
            "left_out": examples.left_out,
            "failed": examples.failed,
        },
        "promise": calibrated.promise,
        "refitted": calibrated.refitted,
        "why": calibrated.why,
        "chosen": _level_json(calibrated.chosen),
        "shipped": _level_json(calibrated.shipped),
        "tried_out": calibrated.try_out,
        "least_error": calibrated.least_error,
        "questions_needed": calibrated.questions_needed,
        "levels": [_level_json(level) for level in calibrated.levels],
    }


def print_calibration(
    console: Console, corpus: EvalSet, examples: Examples, calibrated: Calibrated, *, kept: bool
) -> None:
    """Print what thresholds cost, and what came of it."""
    from ragvl.evals.calibration_words import tried_out, verdict, what_it_takes

    unanswerable = int((~examples.answerable).sum())
    console.print(
        f"{one_line(corpus.name)}: {counted(examples.asked, 'question')} on "
        f"{counted(calibrated.documents, 'document')}, {unanswerable} of them unanswerable",
        soft_wrap=True,
    )
    for number, told in (
        (examples.left_out, "left out: the set does not say whether and where they are answered"),
        (examples.failed, "failed, and do not count"),
    ):
        if number:
            console.print(f"{counted(number, 'question')} {told}", style="yellow", soft_wrap=True)
    console.print(f"{calibrated.why}\n", style="dim", soft_wrap=True)
    _print_levels(console, calibrated)
    console.print()
    console.print(
        verdict(calibrated), style="bold green" if calibrated.chosen else "bold yellow", soft_wrap=True
    )
    for line in (tried_out(calibrated), what_it_takes(calibrated)):
        if line:
            console.print(line, soft_wrap=True)
    said = "The index keeps it, and every answer follows it." if kept else "Nothing was changed."
    console.print(said, soft_wrap=True)


def _print_levels(console: Console, calibrated: Calibrated) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("refuse below", "answered", "of all", "wrong page", "of answered", "at most"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    rows = [(level, "chosen" if level == calibrated.chosen else "") for level in calibrated.levels]
    if calibrated.shipped:
        rows.append((calibrated.shipped, "as shipped"))
    for level, note in rows:
        style = "bold" if note == "chosen" else "dim" if note else ""
        table.add_row(*(Text(cell, style=style) for cell in (*_cells(level), note)))
    print_block(console, table)


def _cells(level: Level) -> tuple[str, ...]:
    seen = (f"{level.wrong_share:.1%}", f"{level.wrong_at_most:.1%}") if level.answered else ("-", "-")
    return (
        f"{level.refuse_below:.3f}",
        str(level.answered),
        f"{level.answered_share:.1%}",
        str(level.wrong),
        *seen,
    )


def _level_json(level: Level | None) -> dict[str, Any] | None:
    if level is None:
        return None
    return {
        "refuse_below": level.refuse_below,
        "answered": level.answered,
        "answered_share": level.answered_share,
        "wrong": level.wrong,
        "wrong_share": level.wrong_share if level.answered else None,
        "wrong_at_most": level.wrong_at_most if level.answered else None,
    }
