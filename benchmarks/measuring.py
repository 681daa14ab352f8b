"""Run one side of a comparison in a fresh process; measure wall time and peak memory of its whole process tree."""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Measured", "percentile", "run_measured", "run_side"]

_FIRST_SAMPLE_S, _SAMPLE_S = 0.1, 1.0  # a look at the shares of memory stops a process for milliseconds


@dataclass(frozen=True, slots=True)
class Measured:
    """
    A finished process.

    Attributes:
        wall_s: from start to end.
        peak_bytes: the highest sum, over samples, of the memory of the process and of all that it started; what
            several of them share counts once (Linux's proportional set size).
        cpu_s: processor time of all of them, over all cores; other programs disturb it less than wall time.
    """

    wall_s: float
    peak_bytes: int
    cpu_s: float

    @property
    def peak(self) -> str:
        """The peak for people."""
        return f"{self.peak_bytes / 2**20:,.0f} MiB"


def run_measured(command: Sequence[str]) -> Measured:
    """
    Run a command to its end; what it prints goes to stderr.

    Raises:
        CalledProcessError: it failed.
    """
    spent_s, started = _children_cpu_s(), time.perf_counter()
    # A session of its own: whatever the command starts stays findable, even when its parent is gone.
    process = subprocess.Popen(command, stdout=sys.stderr, start_new_session=True, env=_environment())
    peak, pause_s = 0, _FIRST_SAMPLE_S
    while True:
        try:
            process.wait(pause_s)
            break
        except subprocess.TimeoutExpired:
            peak = max(peak, _session_bytes(process.pid))
            pause_s = min(1.5 * pause_s, _SAMPLE_S)
    wall_s = time.perf_counter() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Measured(wall_s, peak, _children_cpu_s() - spent_s)


def run_side(interpreter: str, script: Path, job: Mapping[str, Any]) -> tuple[Any, Measured]:
    """
    Run a script of `sides/` or `peers/` in its own process.

    Args:
        interpreter: the Python of that side's environment.
        script: takes one argument, a file with the job as JSON, and writes its result to the file that `job["out"]` names.
        job: what to do; `out` and `started` (seconds since 1970) are added.
    """
    with tempfile.TemporaryDirectory(prefix="ragvl-side-") as folder:
        job_file, out = Path(folder) / "job.json", Path(folder) / "out.json"
        job_file.write_text(json.dumps({**job, "out": str(out), "started": time.time()}), "utf-8")
        measured = run_measured([interpreter, str(script), str(job_file)])
        return json.loads(out.read_text("utf-8")), measured


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _children_cpu_s() -> float:
    """Processor time of the children that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _environment() -> dict[str, str]:
    """The caller's, without its way out to a model hub."""
    return {**os.environ, "HF_HUB_OFFLINE": "1"}


def _session_bytes(session: int) -> int:
    total = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The command's name, in brackets, may hold anything; fields are counted from behind it.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                total += _shared_out_bytes(folder / "smaps_rollup")
        except (OSError, UnicodeDecodeError):
            continue  # it ended meanwhile
    return total


def _shared_out_bytes(rollup: Path) -> int:
    line = next((line for line in rollup.read_text().splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024
