"""`ragvl extract`: a form filled in from the documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragvl.cli import session
from ragvl.cli.options import (
    FromOption,
    IndexOption,
    JsonOption,
    PathOption,
    ProfileOption,
    SetOption,
    TypeOption,
    UntilOption,
    read_filters,
    read_settings,
)

if TYPE_CHECKING:
    from ragvl.generator.modes.extract import ExtractedField, Extraction

__all__ = ["extract"]


def extract(
    schema: Annotated[
        Path,
        typer.Argument(metavar="SCHEMA", help="A JSON file: the JSON Schema of the form."),
    ],
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="What is looked for, beside what the fields say.")
    ] = "",
    path: PathOption = None,
    media_type: TypeOption = None,
    from_: FromOption = None,
    until: UntilOption = None,
    index_folder: IndexOption = None,
    profile: ProfileOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fill in a form from the documents; each value is looked up on the page that it is cited to."""
    from ragvl.cli.modes import waiting

    form = _read_schema(schema)
    where = read_filters(path, media_type, from_, until)
    with session.open_library(index_folder, profile, read_settings(settings)) as library:
        made = waiting(lambda: library.extract(form, question, where), "filling in the form")
    if as_json:
        _write_json(made)
    else:
        _print(made)


def _read_schema(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{file} is no JSON: {error}.") from None


def _write_json(made: Extraction) -> None:
    from ragvl.cli.hits import ranked_json
    from ragvl.cli.serialise import to_json
    from ragvl.cli.terminal import write_json

    fields = to_json(made)
    if isinstance(fields, dict):
        write_json({**fields, "hits": ranked_json(made.hits)})


def _print(made: Extraction) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ragvl.cli.terminal import one_line, print_block, results

    console = results()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("field", "value", "page", "verified"):
        table.add_column(name, overflow="fold")
    for one in made.fields:
        style = "dim" if one.value is None else "" if one.verified else "yellow"
        table.add_row(*(Text(one_line(cell), style=style) for cell in _cells(one)))
    print_block(console, table)
    for problem in made.problems:
        console.print(one_line(problem), style="yellow", soft_wrap=True)
    if made.unknown_labels:
        console.print(
            f"{made.unknown_labels} citations of pages that were not shown are left out", style="yellow"
        )


def _cells(one: ExtractedField) -> tuple[str, str, str, str]:
    from ragvl.cli.modes import place

    where = place(one.citation) if one.citation else "-"
    if one.value is None:
        return one.path, "-", "-", "-"
    value = one.value if isinstance(one.value, str) else json.dumps(one.value)
    return one.path, value, where, "yes" if one.verified else "no"
