"""`ragvl eval report`: one HTML page over runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragvl.cli.options import JsonOption

if TYPE_CHECKING:
    from ragvl.evals.records import StoredRun
    from ragvl.evals.types import EvalSet

__all__ = ["report"]

RunsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="RUN...", help="Folders of finished runs; the first one's misses are shown."),
]
ReportOption = Annotated[Path, typer.Option("--out", metavar="FILE", help="Write the page here.")]
OpenOption = Annotated[bool, typer.Option("--open/--no-open", help="Open the page, where there is a screen.")]
PagesOption = Annotated[
    bool, typer.Option("--pages/--no-pages", help="Show the pages of the queries that went worst.")
]


def report(
    runs: RunsArgument,
    out: ReportOption = Path("report.html"),
    open_it: OpenOption = True,
    pages: PagesOption = True,
    as_json: JsonOption = False,
) -> None:
    """
    Write one HTML page about one or more runs on the same data.

    The page holds everything it shows: it can be sent to somebody, and needs no network and no script.
    """
    from ragvl.evals.run_folder import load_run

    stored = [load_run(run) for run in runs]
    html, missing = _write(stored, with_pages=pages)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(html, encoding="utf-8")
    _tell(out.absolute(), stored, missing, as_json=as_json, open_it=open_it)


def _write(stored: Sequence[StoredRun], *, with_pages: bool) -> tuple[str, str]:
    """Write the page; and say why the dataset's pages are not shown, "" when they are."""
    from ragvl.errors import RagvlError
    from ragvl.evals.datasets import load_set
    from ragvl.evals.report import report_page

    missing = ""

    def load(name: str) -> EvalSet | None:
        nonlocal missing
        if not with_pages:
            return None
        try:
            return load_set(name)
        except (RagvlError, OSError) as error:
            missing = f"pages are not shown, for the data cannot be read: {error}"
            return None

    return report_page(stored, load), missing


def _tell(page: Path, stored: Sequence[StoredRun], missing: str, *, as_json: bool, open_it: bool) -> None:
    from ragvl.cli.quantities import file_size
    from ragvl.cli.terminal import can_open_browser, errors, one_line, results, write_json

    size = page.stat().st_size
    if missing:
        errors().print(one_line(missing), style="yellow", soft_wrap=True)
    if as_json:
        write_json({"report": page, "bytes": size, "runs": [run.record.id for run in stored]})
        return
    results().print(f"{one_line(str(page))}  {file_size(size)}", soft_wrap=True)
    if open_it and can_open_browser():
        import webbrowser

        webbrowser.open(page.as_uri())
