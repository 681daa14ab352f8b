"""The commands under `ragvl eval`, put together."""

from __future__ import annotations

import typer

from ragvl.cli.evaluate.compare import compare
from ragvl.cli.evaluate.listing import list_all
from ragvl.cli.evaluate.own import init, review
from ragvl.cli.evaluate.report import report
from ragvl.cli.evaluate.run import run

__all__ = ["evaluate"]

evaluate = typer.Typer(
    name="eval",
    help="Measure how good the pages found and the answers given are, on public sets and on your own questions.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


def _example(line: str) -> str:
    return f"Example: [bold]{line}[/bold]"


evaluate.command(epilog=_example("ragvl eval run ./questions --fail-under ndcg@5=0.55"))(run)
evaluate.command(epilog=_example("ragvl eval compare runs/before runs/after"))(compare)
evaluate.command("list", epilog=_example("ragvl eval list"))(list_all)
evaluate.command(epilog=_example("ragvl eval report runs/before runs/after --out report.html"))(report)
evaluate.command(epilog=_example("ragvl eval init ./docs --out ./questions"))(init)
evaluate.command(epilog=_example("ragvl eval review ./questions --show"))(review)
