"""Room to work in: disk, processor, GPU and terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ragvl.doctor.findings import Check, Verdict, version_of
from ragvl.doctor.gpus import DriverSilentError, gpus
from ragvl.memory import readable

_MIN_FREE_BYTES = 2 << 30
_MIN_MEMORY_BYTES = 4 << 30


def disk(index: Path | None) -> Iterator[Check]:
    """Space where the index is, or would be."""
    place = (index or Path.cwd()).absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    little = free < _MIN_FREE_BYTES
    remedy = "free some space, or put the index elsewhere with --index" if little else ""
    yield Check(
        "disk", Verdict.WARN if little else Verdict.OK, f"{free / 2**30:,.1f} GiB free at {place}", remedy
    )


def processor() -> Iterator[Check]:
    """Cores and memory."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    little = memory < _MIN_MEMORY_BYTES
    remedy = "index with --set reading.workers=1" if little else ""
    detail = f"{usable} cores, {memory / 2**30:,.1f} GiB memory"
    yield Check("processor", Verdict.WARN if little else Verdict.OK, detail, remedy)


def gpu() -> Iterator[Check]:
    """The NVIDIA GPUs, and torch."""
    torch = version_of("torch")
    with_torch = f"torch {torch}" if torch else "torch not installed"
    try:
        names = "; ".join(f"{one.name}, {readable(one.total_bytes)}" for one in gpus())
    except DriverSilentError:
        names = "an NVIDIA driver that does not answer"
    yield Check("gpu", Verdict.OK, f"{names or 'none, and none is needed'}; {with_torch}")


def terminal() -> Iterator[Check]:
    """What the terminal can show."""
    encoding = (getattr(sys.stdout, "encoding", "") or "unknown").lower()
    columns = shutil.get_terminal_size().columns
    kind = f"terminal, {columns} columns" if sys.stdout.isatty() else "no terminal"
    is_utf8 = encoding.replace("-", "") == "utf8"
    remedy = "" if is_utf8 else "export PYTHONUTF8=1"
    yield Check("terminal", Verdict.OK if is_utf8 else Verdict.WARN, f"{kind}, {encoding}", remedy)
