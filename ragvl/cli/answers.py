"""Answers and their citations as a person reads them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ragvl.cli.terminal import one_line, plain, print_block, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from ragvl.library import Library
    from ragvl.types import Answer, Citation

__all__ = [
    "print_citations",
    "print_piece",
    "print_searched_for",
    "print_text",
    "write_answer_json",
    "write_answer_page",
]

_NEAREST = 5
_LONGEST_QUOTE = 300  # characters


def print_text(console: Console, text: str) -> None:
    """Print the text of an answer."""
    from rich.text import Text

    console.print(Text(plain(text).strip()))


def print_piece(console: Console, text: str) -> None:
    """Print a piece of an answer's text at once, where the last one ended."""
    console.file.write(plain(text))
    console.file.flush()


def print_citations(console: Console, answer: Answer) -> None:
    """Print what an answer cites; of one that was refused, the pages nearest to the question."""
    if answer.refused:
        _print_nearest(console, answer)
        return
    for number, citation in enumerate(answer.citations, 1):
        console.print()
        _print_citation(console, number, citation)


def print_searched_for(console: Console, answer: Answer) -> None:
    """Print what was searched for, where that is not the question as asked."""
    if answer.searched_for:
        console.print(f"\nsearched for: {one_line(answer.searched_for)}", style="dim", soft_wrap=True)


def write_answer_page(library: Library, answer: Answer, out: Path | None) -> Path:
    """Write the page that shows an answer's places, and return where it is."""
    from ragvl.cli.shown import write_page
    from ragvl.show import answer_page

    return write_page(
        answer_page(answer, library.page_image, partial(library.heat_map, answer.question)),
        answer.question,
        out,
    )


def write_answer_json(answer: Answer, shown: Path | None) -> None:
    """Write an answer as the one JSON document of a command, its hits ranked."""
    from ragvl.cli.hits import ranked_json
    from ragvl.cli.serialise import to_json

    fields = to_json(answer)
    page = {"shown": shown} if shown else {}
    if isinstance(fields, dict):
        write_json({**fields, "hits": ranked_json(answer.hits), **page})


def _print_citation(console: Console, number: int, citation: Citation) -> None:
    from rich.padding import Padding
    from rich.text import Text

    place = Text(f"[{number}] ", style="bold cyan")
    place.append(f"{one_line(citation.document.path)}, page {citation.page_number}", style="bold default")
    if not citation.verified:
        place.append("  (not verified)", style="yellow")
    console.print(place, soft_wrap=True)
    quote = _shortened(one_line(citation.quote))
    if quote:
        print_block(console, Padding(Text(f"“{quote}”", style="dim"), (0, 0, 0, 4), expand=False))


def _print_nearest(console: Console, answer: Answer) -> None:
    from ragvl.cli.hits import print_hits

    if not answer.text.strip():
        console.print("Not answered: no page supports an answer.", style="yellow")
    if answer.hits:
        console.print("\nThe pages nearest to the question:\n", style="dim")
        print_hits(console, answer.question, answer.hits[:_NEAREST])


def _shortened(quote: str) -> str:
    if len(quote) <= _LONGEST_QUOTE:
        return quote
    return quote[:_LONGEST_QUOTE].rsplit(None, 1)[0] + " …"
