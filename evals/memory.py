"""The most memory that this process and those it started take together while something runs."""

from __future__ import annotations

import os
import resource
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["PeakMemory"]

_SAMPLE_S = 0.25
_PROCESSES = Path("/proc")


class PeakMemory:
    """
    Watches memory until the block ends.

    Attributes:
        bytes: the highest sum, over samples, of the resident memory of the process and its descendants; memory that
            several of them share counts once for each. Where there is no `/proc`, the highest of this process alone
            since it began.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="peak-memory", daemon=True)

    def __enter__(self) -> Self:
        self._sample()
        if _PROCESSES.is_dir():
            self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self._sample()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            self._sample()

    def _sample(self) -> None:
        self.bytes = max(self.bytes, _resident_bytes(os.getpid()))


def _resident_bytes(root: int) -> int:
    if not _PROCESSES.is_dir():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    parents, pages = _processes()
    total, ahead = 0, [root]
    while ahead:
        process = ahead.pop()
        total += pages.get(process, 0)
        ahead += [child for child, parent in parents.items() if parent == process]
    return total * os.sysconf("SC_PAGE_SIZE")


def _processes() -> tuple[dict[int, int], dict[int, int]]:
    """Of every process its parent, and its resident pages of memory."""
    parents, pages = {}, {}
    for folder in _PROCESSES.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The command's name, in brackets, may hold anything; fields are counted from behind it.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(folder.name)], pages[int(folder.name)] = int(fields[1]), int(fields[21])
    return parents, pages
