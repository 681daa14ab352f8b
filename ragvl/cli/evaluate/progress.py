"""How far a run is: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ragvl.cli.progress import progress_line
from ragvl.cli.quantities import duration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

    from ragvl.evals.harness import Asked
    from ragvl.types import IndexProgress

__all__ = ["RunProgress", "asked_line", "show_run_progress"]

_PLAIN_EVERY_S = 5.0
_SETTLED = 5  # queries; before that, the time left is guesswork


class RunProgress(Protocol):
    """Is told how far indexing and asking are."""

    def indexed(self, state: IndexProgress) -> None:
        """Show how far indexing is."""

    def asked(self, state: Asked) -> None:
        """Show how many queries were asked."""


@contextmanager
def show_run_progress(console: Console) -> Iterator[RunProgress]:
    """Show progress on a console until the block ends."""
    if not console.is_terminal:
        yield _PlainProgress(console)
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), BarColumn(24), TextColumn("{task.fields[told]}", markup=False))
    with Progress(*columns, console=console, transient=True) as bar:
        yield _LiveProgress(bar)


def asked_line(state: Asked) -> str:
    """Write how many queries were asked as one line."""
    parts = [f"asked {state.done:,}/{state.total:,} queries"]
    if state.failed:
        parts.append(f"{state.failed:,} failed")
    now = state.done - state.before
    if now >= _SETTLED and state.done < state.total:
        parts.append(f"{duration(state.elapsed_s / now * (state.total - state.done))} left")
    return ", ".join(parts)


class _PlainProgress:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._told_at = time.monotonic()

    def indexed(self, state: IndexProgress) -> None:
        self._tell(progress_line(state), at_once=state.step == "done" and state.documents_total > 0)

    def asked(self, state: Asked) -> None:
        self._tell(asked_line(state), at_once=state.done == state.total)

    def _tell(self, line: str, *, at_once: bool) -> None:
        now = time.monotonic()
        if at_once or now - self._told_at >= _PLAIN_EVERY_S:
            self._told_at = now
            self._console.print(line)


class _LiveProgress:
    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None, told="preparing")

    def indexed(self, state: IndexProgress) -> None:
        total = max(state.pages_expected, state.documents_total) or None
        done = state.pages_read if state.pages_expected else state.documents_done
        self._bar.update(self._task, total=total, completed=done, told=f"indexing, {progress_line(state)}")

    def asked(self, state: Asked) -> None:
        self._bar.update(self._task, total=state.total, completed=state.done, told=asked_line(state))
