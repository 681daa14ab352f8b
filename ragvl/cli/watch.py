"""Indexing again whenever something changes, until Ctrl-C."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ragvl.cli.index_report import report_line
from ragvl.cli.problems import explain
from ragvl.cli.progress import failure_line
from ragvl.cli.quantities import counted, duration
from ragvl.cli.sync import Sync
from ragvl.cli.terminal import one_line

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Relevant", "watch_and_sync"]

logger = logging.getLogger(__name__)

_DEBOUNCE_MS = 2000
_QUIET_MS = 400  # a burst of changes has ended when nothing happens for so long
_LOOK_EVERY_MS = 4000
_TRY_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Relevant:
    """
    Whether a change concerns the index.

    Attributes:
        roots: real paths of the files and folders that are indexed.
        index_folder: real path of the index, whose own files change with every run.
    """

    roots: tuple[Path, ...]
    index_folder: Path

    def __call__(self, _change: object, path: str) -> bool:
        """Refuse the index itself, hidden files and folders, and what lies under no root."""
        changed = Path(path)
        if changed.is_relative_to(self.index_folder):
            return False
        for root in self.roots:
            if changed.is_relative_to(root):
                parts = changed.relative_to(root).parts
                # An ignore file is hidden, yet it decides what is indexed.
                return parts[-1:] in {(".gitignore",), (".ragvlignore",)} or not any(
                    part.startswith(".") for part in parts
                )
        return False


def watch_and_sync(sync: Sync, console: Console) -> None:
    """
    Bring the index in step with each change, one line a time; returns on Ctrl-C.

    A run that fails, for another process is writing or a folder is away, is told once and tried again.
    """
    console.print("watching for changes; Ctrl-C ends", style="dim")
    failure = ""
    stopped = False
    while not stopped:
        try:
            for _ in _changes(sync):
                failure, stopped = "", not _sync_once(sync, console, told=bool(failure))
                if stopped:
                    break
        except KeyboardInterrupt:
            stopped = True
        except Exception as error:  # whatever failed, the next change may succeed
            logger.debug("the run failed", exc_info=True)
            message = one_line(explain(error)).rstrip(".")
            if message != failure:
                _tell(console, f"{message}; trying again", "yellow")
            failure = message
            stopped = not _wait()
    console.print("stopped watching", style="dim")


def _sync_once(sync: Sync, console: Console, *, told: bool) -> bool:
    """Index once and tell what changed, or that it works again; return False when Ctrl-C was pressed."""
    started = time.monotonic()
    report = sync.run(quiet=True)
    if report.interrupted:
        return False
    if told or report.added or report.updated or report.renamed or report.removed:
        failures = f"; {counted(len(report.failed), 'document')} not read in full" if report.failed else ""
        _tell(console, f"{report_line(report)}{failures} ({duration(time.monotonic() - started)})", "")
    for failure in report.failed:
        _tell(console, f"  {failure_line(failure)}", "yellow")
    return True


def _changes(sync: Sync) -> Iterator[None]:
    """
    Yield soon after the start, for changes that nobody watched for yet, and after each burst of changes.

    Ends when a watched folder is not the one it was: the system tells of changes in the old one only.

    Raises:
        FileNotFoundError: a folder is not there.
    """
    import watchfiles

    roots = tuple(path.resolve() for path in sync.paths)
    # Editors replace files: watch the folder of a single file, not the file.
    places = sorted({root.parent if root.is_file() else root for root in roots})
    at_first = _identities(places)
    watched = watchfiles.watch(
        *places,
        watch_filter=Relevant(roots, sync.library.folder.resolve()),
        debounce=_DEBOUNCE_MS,
        step=_QUIET_MS,
        rust_timeout=_LOOK_EVERY_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    for turn, changes in enumerate(watched):
        if _identities(places) != at_first:
            return
        if changes or turn == 0:
            yield


def _identities(places: Sequence[Path]) -> list[tuple[int, int]]:
    found = [place.stat() for place in places]
    return [(stat.st_dev, stat.st_ino) for stat in found]


def _wait() -> bool:
    """Wait before the next try; return False when Ctrl-C was pressed."""
    try:
        time.sleep(_TRY_AGAIN_S)
    except KeyboardInterrupt:
        return False
    return True


def _tell(console: Console, message: str, style: str) -> None:
    console.print(f"{time.strftime('%H:%M:%S')} {message}", style=style or None, soft_wrap=True)
