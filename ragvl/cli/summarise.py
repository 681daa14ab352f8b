"""`ragvl summarise`: a document or a folder in a few cited sentences."""

from __future__ import annotations

from typing import Annotated

import typer

from ragvl.cli import session
from ragvl.cli.options import (
    IndexOption,
    JsonOption,
    OutOption,
    ProfileOption,
    SetOption,
    ShowOption,
    read_settings,
)

__all__ = ["summarise"]


def summarise(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="A document as `ragvl list` shows it, its end, a folder, a glob."
        ),
    ],
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="What the summary is to be about; else everything.")
    ] = "",
    show: ShowOption = False,
    out: OutOption = None,
    index_folder: IndexOption = None,
    profile: ProfileOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Summarise a document or a folder; each sentence is cited to its pages."""
    from ragvl.cli.answers import print_citations, print_text, write_answer_json, write_answer_page
    from ragvl.cli.modes import waiting
    from ragvl.cli.shown import tell_page
    from ragvl.cli.terminal import results

    with session.open_library(index_folder, profile, read_settings(settings)) as library:
        answer = waiting(lambda: library.summarise(path, question), "reading and summarising")
        shown = write_answer_page(library, answer, out) if show or out else None
    if as_json:
        write_answer_json(answer, shown)
        return
    console = results()
    print_text(console, answer.text)
    if not answer.refused:
        print_citations(console, answer)
    left_out = sum(not entry.kept for entry in answer.ledger)
    if left_out:
        console.print(f"\n{left_out} of {len(answer.ledger)} pages were left out", style="yellow")
    if shown:
        tell_page(console, shown, open_it=out is None)
