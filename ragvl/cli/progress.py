"""How far indexing is: a live display on a terminal, plain lines elsewhere, failures named as they happen."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragvl.cli.quantities import duration
from ragvl.cli.terminal import one_line
from ragvl.types import Failure, IndexProgress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

__all__ = ["Progress", "failure_line", "progress_line", "seconds_left", "show_progress"]

Progress = Callable[[IndexProgress], None]

_PLAIN_EVERY_S = 5.0
_SETTLED_S = 3.0  # before that, the time left is guesswork
_STEPS = {
    "scan": "looking for documents",
    "read": "reading",
    "encode": "embedding",
    "commit": "reading",
    "done": "done",
}


@contextmanager
def show_progress(console: Console) -> Iterator[Progress]:
    """Show progress on a console until the block ends; yields what is to be called with the state of the run."""
    if not console.is_terminal:
        yield _PlainProgress(console)
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    # Text columns are given `Text` values only, so nothing in a file name is taken for markup.
    columns = (SpinnerColumn(), BarColumn(24), TextColumn("{task.fields[told]}", markup=False))
    with Progress(*columns, console=console, transient=True) as bar:
        yield _LiveProgress(console, bar)


def seconds_left(progress: IndexProgress) -> float | None:
    """
    Guess the time that the run still takes.

    Pages tell more than documents do, but only those of opened documents are known: the others are taken to
    have as many on average.

    Returns:
        None while there is too little to go by.
    """
    done = _share_done(progress)
    if progress.elapsed_s < _SETTLED_S or not 0.01 < done < 1:
        return None
    return progress.elapsed_s * (1 - done) / done


def progress_line(progress: IndexProgress) -> str:
    """Write the state of a run as one line."""
    if progress.step == "scan" and not progress.pages_expected:
        return f"looking for documents: {progress.documents_done:,}/{progress.documents_total:,}"
    step = _STEPS.get(progress.step, progress.step)
    parts = [
        f"{step}: {progress.documents_done:,}/{progress.documents_total:,} documents",
        f"{progress.pages_read:,}/{max(progress.pages_read, progress.pages_expected):,} pages",
    ]
    if progress.pages_encoded is not None:
        parts.append(f"{progress.pages_encoded:,} seen by the page encoder")
    if progress.passages and progress.elapsed_s > 0:
        parts.append(f"{progress.passages / progress.elapsed_s:.0f} passages/s")
    if progress.failed:
        parts.append(f"{len(progress.failed):,} failed")
    left = seconds_left(progress)
    if left is not None and progress.step != "done":
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


def failure_line(failure: Failure) -> str:
    """Write a document that was not read in full, and why, as one line."""
    status = str(failure.status).replace("_", " ")
    return f"{status}: {one_line(failure.path)}: {one_line(failure.reason)}".rstrip(": ")


def _share_done(progress: IndexProgress) -> float:
    """Return the share of the work that is done, from 0 to 1; 0 while nothing is known."""
    if not progress.documents_total:
        return 0.0
    if not progress.pages_expected:
        return progress.documents_done / progress.documents_total
    reading = 0 if progress.documents_done == progress.documents_total else os.cpu_count() or 1
    opened = min(progress.documents_total, progress.documents_done + reading)
    # Where pages are embedded too, that is most of the work.
    done = progress.pages_read if progress.pages_encoded is None else progress.pages_encoded
    return min(1.0, done * opened / (progress.pages_expected * progress.documents_total))


class _PlainProgress:
    """One line every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told_at = time.monotonic()
        self._failures = 0

    def __call__(self, progress: IndexProgress) -> None:
        self._failures = _name_failures(self._console, progress, self._failures)
        now = time.monotonic()
        if now - self._told_at >= _PLAIN_EVERY_S or (progress.step == "done" and progress.documents_total):
            self._told_at = now
            self._console.print(progress_line(progress))


class _LiveProgress:
    """A bar that moves."""

    def __init__(self, console: Console, bar: Bar) -> None:
        self._console = console
        self._bar = bar
        self._task = bar.add_task("", total=None, told="looking for documents")
        self._failures = 0

    def __call__(self, progress: IndexProgress) -> None:
        self._failures = _name_failures(self._console, progress, self._failures)
        self._bar.update(
            self._task,
            total=1.0 if progress.documents_total else None,
            completed=_share_done(progress),
            told=progress_line(progress),
        )


def _name_failures(console: Console, progress: IndexProgress, known: int) -> int:
    """Print the failures that were not known yet; return how many are known now."""
    from rich.text import Text

    for failure in progress.failed[known:]:
        console.print(Text(failure_line(failure), style="yellow"), soft_wrap=True)
    return max(known, len(progress.failed))
