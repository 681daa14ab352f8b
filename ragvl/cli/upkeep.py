"""`ragvl list`, `remove`, `verify` and `compact`: what is in the index, and keeping it sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ragvl.cli import session
from ragvl.cli.options import IndexOption, JsonOption
from ragvl.cli.problems import EXIT_FAILED
from ragvl.types import DocumentStatus

if TYPE_CHECKING:
    from rich.console import Console

    from ragvl.types import Document, VerifyReport

__all__ = ["compact", "list_documents", "remove", "verify"]


def list_documents(
    status: Annotated[DocumentStatus | None, typer.Option("--status", help="Only such documents.")] = None,
    index_folder: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the documents of the index, those that could not be read too, with the reason."""
    from ragvl.cli.terminal import results, write_json

    with session.open_library(index_folder) as library:
        found = [document for document in library.documents() if status in (None, document.status)]
    if as_json:
        write_json({"index": library.folder, "documents": found})
    else:
        _print_documents(results(), found)


def remove(
    document: Annotated[
        str,
        typer.Argument(metavar="DOC", help="Its path as `ragvl list` shows it, the end of one, or a glob."),
    ],
    index_folder: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take documents out of the index; their files are not touched."""
    from ragvl.cli.terminal import errors, one_line, results, write_json

    with session.open_library(index_folder) as library:
        removed = library.remove(document)
    if as_json:
        write_json({"index": library.folder, "removed": removed})
        return
    for gone in removed:
        results().print(f"removed {one_line(gone.path)}", soft_wrap=True)
    note = "a file that still lies under an indexed folder comes back with the next `ragvl index`"
    errors().print(note, style="dim", soft_wrap=True)


def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Make damaged vector files again; the damaged ones are kept.")
    ] = False,
    index_folder: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check every byte of the index against its checksums; exit 1 when something is damaged."""
    from ragvl.cli.terminal import errors, results, write_json

    with session.open_library(index_folder) as library, errors().status("checking"):
        report = library.verify(repair)
    if as_json:
        write_json({"index": library.folder, "sound": not report.damages, "report": report})
    else:
        _print_verdict(results(), report, repair)
    if report.damages:
        raise typer.Exit(EXIT_FAILED)


def compact(index_folder: IndexOption = None, as_json: JsonOption = False) -> None:
    """Give back the space of removed documents."""
    from ragvl.cli.quantities import file_size
    from ragvl.cli.terminal import errors, results, write_json

    with session.open_library(index_folder) as library, errors().status("compacting"):
        saved_bytes = library.compact()
    if as_json:
        write_json({"index": library.folder, "saved_bytes": saved_bytes})
    else:
        results().print(f"{file_size(max(0, saved_bytes))} saved")


def _print_documents(console: Console, documents: Sequence[Document]) -> None:
    from rich.table import Table
    from rich.text import Text

    from ragvl.cli.quantities import counted, file_size
    from ragvl.cli.terminal import one_line, print_block

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("document", overflow="fold")
    table.add_column("pages", justify="right")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("changed", no_wrap=True)
    table.add_column("status", overflow="fold")
    for document in documents:
        status = f"{document.status}: {one_line(document.reason)}".rstrip(": ")
        style = "" if document.status is DocumentStatus.OK else "yellow"
        changed = f"{document.modified_at:%Y-%m-%d}"
        name = Text(one_line(document.path))
        size = file_size(document.size_bytes)
        table.add_row(name, f"{document.page_count:,}", size, changed, Text(status, style=style))
    if documents:
        print_block(console, table)
    statuses = Counter(str(document.status) for document in documents)
    others = [f"{number:,} {status}" for status, number in sorted(statuses.items()) if status != "ok"]
    console.print(", ".join([counted(len(documents), "document"), *others]), style="dim")


def _print_verdict(console: Console, report: VerifyReport, repaired: bool) -> None:
    from rich.text import Text

    from ragvl.cli.quantities import counted, file_size
    from ragvl.cli.terminal import one_line

    looked_at = f"{counted(report.files, 'file')}, {file_size(report.size_bytes)}"
    if not report.damages:
        console.print(Text(f"sound: {looked_at}", style="green"))
        return
    console.print(Text(f"{counted(len(report.damages), 'damage')} in {looked_at}", style="bold red"))
    for damage in report.damages:
        console.print(f"  {one_line(damage.file)}: {one_line(damage.what)}", soft_wrap=True)
    advice = "index the documents anew with --index DIR" if repaired else "run `ragvl verify --repair`"
    console.print(f"what to do: {advice}", soft_wrap=True)
