"""One run of indexing with its progress shown, which can be stopped with Ctrl-C."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ragvl.cli.progress import Progress, show_progress
from ragvl.cli.terminal import errors
from ragvl.types import IndexReport

if TYPE_CHECKING:
    from ragvl.library import Library

__all__ = ["Sync"]


@dataclass(frozen=True, slots=True)
class Sync:
    """
    What is brought in step with what.

    Attributes:
        library: the index.
        paths: files and folders.
        password: for documents that need one.
        exclude: patterns in the syntax of gitignore.
    """

    library: Library
    paths: tuple[Path, ...]
    password: str | None
    exclude: tuple[str, ...]

    def run(self, *, retry: bool = False, quiet: bool = False) -> IndexReport:
        """
        Index once.

        Args:
            retry: read documents again that could not be read before.
            quiet: show no progress.

        Returns:
            The report; with `interrupted` set when Ctrl-C was pressed, however early.
        """
        try:
            if quiet:
                return self._index(retry, None)
            with show_progress(errors()) as progress:
                return self._index(retry, progress)
        except KeyboardInterrupt:
            return IndexReport(interrupted=True)

    def _index(self, retry: bool, progress: Progress | None) -> IndexReport:
        return self.library.index(
            *self.paths, password=self.password, exclude=self.exclude, retry=retry, progress=progress
        )
