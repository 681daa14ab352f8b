"""`ragvl compare`: two documents side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ragvl.cli import session
from ragvl.cli.options import IndexOption, JsonOption, ProfileOption, SetOption, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ragvl.generator.modes.compare import Comparison
    from ragvl.types import Citation

__all__ = ["compare"]


def compare(
    left: Annotated[
        str, typer.Argument(metavar="DOC", help="Its path as `ragvl list` shows it, or its end.")
    ],
    right: Annotated[str, typer.Argument(metavar="OTHER", help="The document to compare it with.")],
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="What to compare; else everything that differs.")
    ] = "",
    index_folder: IndexOption = None,
    profile: ProfileOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two documents or versions; each difference is cited in both."""
    from ragvl.cli.modes import waiting
    from ragvl.cli.terminal import results, write_json

    with session.open_library(index_folder, profile, read_settings(settings)) as library:
        made = waiting(lambda: library.compare(left, right, question), "comparing")
    if as_json:
        write_json(made)
    else:
        _print(results(), made)


def _print(console: Console, made: Comparison) -> None:
    from rich.text import Text

    from ragvl.cli.terminal import one_line

    if not made.differences:
        console.print("No difference was found.")
    for number, one in enumerate(made.differences, 1):
        line = Text(f"{number}. ", style="bold cyan")
        line.append(one_line(one.text), style="not bold default")
        if not one.verified:
            line.append("  (not verified)", style="yellow")
        console.print(line)
        for side in (one.left, one.right):
            _print_side(console, side)
    left_out = sum(not entry.kept for entry in made.ledger)
    if left_out:
        console.print(f"\n{left_out} pages that differ were not looked at; ask a QUESTION", style="yellow")
    if made.dropped or made.unknown_labels:
        told = f"{made.dropped} lines left out that did not cite both documents"
        console.print(f"\n{told}; {made.unknown_labels} citations of pages not shown", style="dim")


def _print_side(console: Console, side: Sequence[Citation]) -> None:
    from rich.text import Text

    from ragvl.cli.modes import place
    from ragvl.cli.terminal import one_line

    for citation in side:
        line = Text(f"   {place(citation)}", style="bold")
        if citation.verified:
            line.append(f"  “{one_line(citation.quote)}”", style="not bold dim")
        else:
            line.append("  (not found there)", style="not bold yellow")
        console.print(line, soft_wrap=True)
