"""Hits as a person reads them: where, how good, and the best passage with the words of the query marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ragvl.cli.excerpts import excerpt, word_pattern
from ragvl.cli.serialise import Json, to_json
from ragvl.cli.terminal import one_line, print_block

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ragvl.types import Hit

__all__ = ["print_hits", "ranked_json"]

_INDENT = 4
_EXCERPT_LINES = 3
_LONGEST_EXCERPT = 400  # characters


def ranked_json(hits: Sequence[Hit]) -> list[Json]:
    """Turn hits into JSON values with their ranks, from 1."""
    ranked: list[Json] = []
    for rank, hit in enumerate(hits, 1):
        fields = to_json(hit)
        ranked.append({"rank": rank, **fields} if isinstance(fields, dict) else fields)
    return ranked


def print_hits(console: Console, query: str, hits: Sequence[Hit]) -> None:
    """Print hits, best first."""
    from rich.padding import Padding

    length = min(_LONGEST_EXCERPT, _EXCERPT_LINES * max(20, console.width - _INDENT - 1))
    for rank, hit in enumerate(hits, 1):
        if rank > 1:
            console.print()
        console.print(_heading(rank, hit), soft_wrap=True)
        if hit.passages:
            text = _excerpt(hit, query, length)
            print_block(console, Padding(text, (0, 0, 0, _INDENT), expand=False))


def _heading(rank: int, hit: Hit) -> Text:
    from rich.text import Text

    document = hit.page.document
    heading = Text(f"{rank:>2}  ", style="bold cyan")
    heading.append(one_line(document.path), style="bold default")
    heading.append(f"  page {hit.page.number}/{document.page_count}", style="default")
    lanes = ", ".join(f"{one_line(lane.lane)} #{lane.rank}" for lane in hit.lanes)
    heading.append(f"  {hit.score:.3f}  {lanes}".rstrip(), style="not bold dim default")
    return heading


def _excerpt(hit: Hit, query: str, length: int) -> Text:
    from rich.text import Text

    best = hit.passages[0]
    text = Text()
    if best.heading:
        text.append(f"{one_line(best.heading)}\n", style="dim")
    body = Text(excerpt(one_line(best.text), query, length))
    pattern = word_pattern(query)
    if pattern:
        body.highlight_regex(pattern, style="bold yellow")
    return text.append_text(body)
