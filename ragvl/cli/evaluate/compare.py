"""`ragvl eval compare`: runs side by side, and which differences are more than noise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragvl.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ragvl.evals.comparing import Comparison, Difference

__all__ = ["compare"]

_STYLES = {"better": "green", "worse": "red"}


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN...", help="Folders of runs; the first is the base.")
    ],
    as_json: JsonOption = False,
) -> None:
    """
    Compare runs on the same data with the first of them, query by query.

    A difference is the mean over queries of the other run minus the first, with its 95 % interval; one whose interval
    holds 0 is inside the noise.
    """
    from ragvl.cli.terminal import results, write_json
    from ragvl.evals.comparing import compare_runs
    from ragvl.evals.run_folder import load_run

    comparison = compare_runs([load_run(run) for run in runs])
    if as_json:
        write_json(comparison)
    else:
        _print(results(), comparison)


def _print(console: Console, comparison: Comparison) -> None:
    from rich.table import Table
    from rich.text import Text

    from ragvl.cli.terminal import one_line, print_block

    base, *others = (one_line(run) for run in comparison.runs)
    console.print(f"{one_line(comparison.dataset)}: against {base}", style="bold", soft_wrap=True)
    for position, run in enumerate(others):
        console.print(f"\n{run}", soft_wrap=True)
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("metric", no_wrap=True)
        for head in ("base", "this run", "difference"):
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column("")
        for row in comparison.metrics:
            other = row.others[position]
            name = f"{row.metric} *" if row.metric == comparison.main else row.metric
            verdict = Text(other.verdict, style=_STYLES.get(other.verdict, "dim"))
            table.add_row(name, f"{row.first.mean:.3f}", f"{other.own.mean:.3f}", _signed(other), verdict)
        print_block(console, table)


def _signed(other: Difference) -> str:
    difference = other.difference
    return f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
