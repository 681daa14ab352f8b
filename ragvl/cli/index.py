"""`ragvl index`: bring the index in step with files and folders."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ragvl.cli import session
from ragvl.cli.options import IndexOption, JsonOption, ProfileOption, SetOption, read_settings
from ragvl.cli.problems import EXIT_STOPPED
from ragvl.types import IndexReport

if TYPE_CHECKING:
    from ragvl.library import Library

__all__ = ["index"]


def index(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders.")],
    index_folder: IndexOption = None,
    profile: ProfileOption = None,
    settings: SetOption = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="PATTERN", help="Leave out what matches, as in .gitignore."),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option("--password", metavar="PW", help="For documents that need one; '-' asks for it."),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Read again what timed out, crashed or was damaged before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and how long it takes; write nothing.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until Ctrl-C: index again whenever something changes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Read documents into the index: what is new, changed, renamed or gone since the last time.

    Unchanged files are not read again. Documents that cannot be read are named with the reason; the others are
    indexed all the same. Ctrl-C stops at any time: what is committed stays, the next run goes on from there.
    """
    if watch and (as_json or dry_run):
        other = "--json" if as_json else "--dry-run"
        raise typer.BadParameter(f"--watch goes on until it is stopped, {other} ends: use one of them.")
    try:
        with session.open_library(index_folder, profile, read_settings(settings)) as library:
            if dry_run:
                _estimate(library, paths, exclude or (), as_json)
            else:
                _index(library, paths, _password(password), exclude or (), retry, watch, as_json)
    except KeyboardInterrupt:
        _tell_stopped(IndexReport(interrupted=True))


def _estimate(library: Library, paths: Sequence[Path], exclude: Sequence[str], as_json: bool) -> None:
    from ragvl.cli.index_report import print_estimate
    from ragvl.cli.serialise import to_json
    from ragvl.cli.terminal import errors, results, write_json

    with errors().status("reading a few documents to measure"):
        estimate = library.estimate(*paths, exclude=exclude)
    if as_json:
        write_json({"index": library.folder, "estimate": to_json(estimate)})
    else:
        print_estimate(results(), estimate, library.folder)


def _index(
    library: Library,
    paths: Sequence[Path],
    password: str | None,
    exclude: Sequence[str],
    retry: bool,
    watch: bool,
    as_json: bool,
) -> None:
    from ragvl.cli.index_report import print_report
    from ragvl.cli.sync import Sync
    from ragvl.cli.terminal import errors, results, write_json

    sync = Sync(library, tuple(paths), password, tuple(exclude))
    report = sync.run(retry=retry)
    if as_json:
        write_json({"index": library.folder, "report": report})
    else:
        print_report(results(), report, library.folder)
    if report.interrupted:
        _tell_stopped(report)
    if watch:
        from ragvl.cli.watch import watch_and_sync

        watch_and_sync(sync, errors())


def _tell_stopped(report: IndexReport) -> NoReturn:
    from ragvl.cli.index_report import stopped_line
    from ragvl.cli.terminal import errors

    errors().print(stopped_line(report), style="yellow")
    raise typer.Exit(EXIT_STOPPED)


def _password(given: str | None) -> str | None:
    if given != "-":
        return given
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")
