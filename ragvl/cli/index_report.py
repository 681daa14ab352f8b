"""What a run of indexing did, or would do, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragvl.cli.quantities import counted, duration, file_size
from ragvl.cli.terminal import one_line, print_block
from ragvl.types import DocumentStatus, Failure, IndexEstimate, IndexReport

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_estimate", "print_report", "report_line", "stopped_line"]

_LISTED = 10  # paths shown of a list that can be long

_REMEDIES = {
    DocumentStatus.PARTIAL: "what could be read is searchable",
    DocumentStatus.EMPTY: "nothing: it has no pages",
    DocumentStatus.LOCKED: "index it again with --password",
    DocumentStatus.CORRUPT: "replace the file, then index again",
    DocumentStatus.TIMEOUT: "--retry --set reading.document_timeout_s=300",
    DocumentStatus.TOO_LARGE: "--retry --set reading.max_file_mb=8192",
    DocumentStatus.UNSUPPORTED: "save it as PDF; `ragvl doctor` names missing programs",
    DocumentStatus.CRASHED: "--retry; if it crashes again, report the file",
}


def report_line(report: IndexReport) -> str:
    """Write what changed as one line."""
    changes = [
        f"{len(paths):,} {what}"
        for what, paths in (
            ("added", report.added),
            ("updated", report.updated),
            ("renamed", report.renamed),
            ("removed", report.removed),
        )
        if paths
    ]
    return ", ".join([*(changes or ["nothing changed"]), f"{report.unchanged:,} unchanged"])


def stopped_line(report: IndexReport) -> str:
    """Say what Ctrl-C left behind."""
    committed = len(report.added) + len(report.updated)
    if not committed:
        return "stopped; what was committed stays, run again to go on"
    return f"stopped; {counted(committed, 'document')} {_are(committed)} committed, run again to go on"


def print_report(console: Console, report: IndexReport, folder: Path) -> None:
    """Print what a run did: counts, and each document that was not read in full, with the reason and the remedy."""
    console.print(report_line(report), style="bold")
    if report.pages:
        took = f" in {duration(report.timings_s['total'])}" if "total" in report.timings_s else ""
        pages = f"{counted(report.pages, 'page')}, {counted(report.passages, 'passage')}{took}"
        console.print(pages, soft_wrap=True)
    console.print(f"index: {one_line(str(folder))}", style="dim", soft_wrap=True)
    if report.failed:
        console.print(f"\n{counted(len(report.failed), 'document')} not read in full", style="yellow")
        _print_failures(console, report.failed)


def print_estimate(console: Console, estimate: IndexEstimate, folder: Path) -> None:
    """Print what a run would do."""
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    pages = f"about {counted(estimate.pages, 'page')}" if estimate.to_read else ""
    table.add_row("to read", counted(len(estimate.to_read), "document"), pages)
    table.add_row("unchanged", counted(estimate.unchanged, "document"), "")
    table.add_row("would leave the index", counted(len(estimate.gone), "document"), "")
    table.add_row("would not be read", counted(len(estimate.refused), "file"), "")
    table.add_row("time", f"about {duration(estimate.seconds)}", "")
    table.add_row("disk", f"about {file_size(estimate.index_bytes)}", one_line(str(folder)))
    if estimate.image is not None:
        a_page = (
            f"about {estimate.image.seconds_a_page:.1f} s and {file_size(estimate.image.bytes_a_page)} a page"
        )
        table.add_row("of it page images", a_page, f"{file_size(estimate.image.memory_bytes)} of memory")
    print_block(console, table)
    _print_paths(console, "Would leave the index, because the files are gone:", estimate.gone)
    if estimate.refused:
        console.print("\nWould not be read:", style="yellow")
        _print_failures(console, estimate.refused)
    console.print("nothing was written", style="dim")


def _print_failures(console: Console, failures: Sequence[Failure]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("document", "status", "reason", "what to do"):
        table.add_column(heading, overflow="fold")
    for failure in failures:
        status = Text(str(failure.status).replace("_", " "), style="yellow")
        remedy = _REMEDIES.get(failure.status, "")
        table.add_row(Text(one_line(failure.path)), status, Text(one_line(failure.reason)), remedy)
    print_block(console, table)


def _print_paths(console: Console, heading: str, paths: Sequence[str]) -> None:
    if not paths:
        return
    console.print(f"\n{heading}", style="yellow")
    for path in paths[:_LISTED]:
        console.print(f"  {one_line(path)}", soft_wrap=True)
    if len(paths) > _LISTED:
        console.print(f"  and {len(paths) - _LISTED:,} more", style="dim")


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
