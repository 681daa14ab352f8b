"""NVIDIA GPUs as their driver tells them, without torch."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

_ANSWERS_WITHIN_S = 10


class DriverSilentError(Exception):
    """There is a driver, and it does not answer."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: its name, and memory in bytes; 0 where the driver does not tell, as for memory shared with the host."""

    name: str
    total_bytes: int
    free_bytes: int


def gpus() -> tuple[Gpu, ...]:
    """
    Ask the driver.

    Raises:
        DriverSilentError: it hangs or fails.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    command = [program, "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWERS_WITHIN_S, check=True)
    except (OSError, subprocess.SubprocessError):
        raise DriverSilentError from None
    return tuple(_gpu(line) for line in asked.stdout.splitlines() if line.strip())


def _gpu(line: str) -> Gpu:
    name, *sizes = (part.strip() for part in line.split(","))
    total, free = (int(size) << 20 if size.isdecimal() else 0 for size in (sizes + ["", ""])[:2])
    return Gpu(name, total, free)
