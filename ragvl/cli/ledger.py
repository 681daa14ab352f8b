"""What became of each page that was found: shown to the model, in which form, at what cost, or left out and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragvl.cli.terminal import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from ragvl.types import Answer

__all__ = ["print_ledger"]


def print_ledger(console: Console, answer: Answer) -> None:
    """Print an answer's ledger as a table, in the order of the search."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title="What the answer was made from", title_justify="left"
    )
    for name in ("page", "given as", "tokens", "why"):
        table.add_column(name, justify="right" if name == "tokens" else "left", overflow="fold")
    for entry in answer.ledger:
        form = (entry.form or "text") if entry.kept else "-"
        tokens = f"{entry.cost_tokens:,}" if entry.cost_tokens else "-"
        place = f"{one_line(entry.document_path)}, page {entry.page_number}"
        style = "" if entry.kept else "dim"
        table.add_row(*(Text(cell, style=style) for cell in (place, str(form), tokens, one_line(entry.why))))
    console.print()
    console.print(table)
    kept = [entry for entry in answer.ledger if entry.kept]
    spent = sum(entry.cost_tokens for entry in kept)
    cost = f", {spent:,} tokens" if spent else ""
    console.print(f"{len(kept)} of {len(answer.ledger)} pages given{cost}", style="dim")
