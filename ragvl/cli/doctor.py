"""`ragvl doctor`: what this machine has, what is missing, and the command that adds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ragvl.cli.options import IndexOption, JsonOption
from ragvl.cli.problems import EXIT_FAILED

if TYPE_CHECKING:
    from rich.console import Console

    from ragvl.doctor import Diagnosis

__all__ = ["doctor"]

_STYLES = {"ok": "green", "warn": "yellow", "missing": "bold red"}


GeneratorOption = Annotated[
    bool,
    typer.Option(
        "--generator",
        help="Check the GPU kernels as well, and measure the generator that runs here; may take minutes.",
    ),
]


def doctor(
    index_folder: IndexOption = None, as_json: JsonOption = False, generator: GeneratorOption = False
) -> None:
    """Check what ragvl needs on this machine; exit 1 when something needed is missing."""
    from ragvl.cli.terminal import results, write_json
    from ragvl.doctor import diagnose

    diagnosis = diagnose(index_folder, generator=True) if generator else diagnose(index_folder)
    if as_json:
        write_json({"sound": diagnosis.sound, "checks": diagnosis.checks})
    else:
        _print(results(), diagnosis)
    if not diagnosis.sound:
        raise typer.Exit(EXIT_FAILED)


def _print(console: Console, diagnosis: Diagnosis) -> None:
    from rich.table import Table
    from rich.text import Text

    from ragvl.cli.terminal import one_line, print_block

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in diagnosis.checks:
        table.add_row(
            Text(check.verdict, style=_STYLES.get(check.verdict, "")),
            check.name,
            Text(one_line(check.detail)),
        )
        if check.remedy:
            table.add_row("", "", Text(f"→ {one_line(check.remedy)}", style="cyan"))
    print_block(console, table)
    if not diagnosis.sound:
        console.print("\nSomething that ragvl needs is missing; see → above.", style="bold red")
