"""`ragvl search`: find pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragvl.cli import session
from ragvl.cli.options import (
    FromOption,
    IndexOption,
    JsonOption,
    OutOption,
    PathOption,
    ProfileOption,
    SetOption,
    ShowOption,
    TypeOption,
    UntilOption,
    read_filters,
    read_settings,
)

if TYPE_CHECKING:
    from ragvl.library import Library
    from ragvl.types import Hit

__all__ = ["search"]


def search(
    query: Annotated[str, typer.Argument(help="A question or words.", metavar="QUERY")],
    pages: Annotated[int, typer.Option("-k", min=1, help="How many pages at most.")] = 10,
    path: PathOption = None,
    media_type: TypeOption = None,
    from_: FromOption = None,
    until: UntilOption = None,
    show: ShowOption = False,
    out: OutOption = None,
    index_folder: IndexOption = None,
    profile: ProfileOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find pages, best first, with the passages that match."""
    if not query.strip():
        raise typer.BadParameter("the query is empty.")
    where = read_filters(path, media_type, from_, until)
    with session.open_library(index_folder, profile, read_settings(settings)) as library:
        hits = library.search(query, pages, where)
        shown = _write_page(library, query, hits, out) if show or out else None
    if as_json:
        _write_json(query, hits, shown)
    else:
        _print(query, hits, shown, asked_for_file=out is not None)


def _write_page(library: Library, query: str, hits: Sequence[Hit], out: Path | None) -> Path:
    from ragvl.cli.shown import write_page
    from ragvl.show import search_page

    return write_page(
        search_page(query, hits, library.page_image, partial(library.heat_map, query)), query, out
    )


def _write_json(query: str, hits: Sequence[Hit], shown: Path | None) -> None:
    from ragvl.cli.hits import ranked_json
    from ragvl.cli.terminal import write_json

    page = {"shown": shown} if shown else {}
    write_json({"query": query, "hits": ranked_json(hits), **page})


def _print(query: str, hits: Sequence[Hit], shown: Path | None, *, asked_for_file: bool) -> None:
    from ragvl.cli.hits import print_hits
    from ragvl.cli.shown import tell_page
    from ragvl.cli.terminal import results

    console = results()
    if hits:
        print_hits(console, query, hits)
    else:
        console.print("No page matches. Try other words, or fewer of them.")
    if shown:
        tell_page(console, shown, open_it=not asked_for_file)
