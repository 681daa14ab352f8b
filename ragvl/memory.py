"""How much memory there is: on the device that models compute on, and on its host."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from ragvl.errors import ConfigError, MissingExtraError

__all__ = ["Budgets", "budgets", "host_free_bytes", "readable", "spare"]

_MIN_RESERVE_BYTES = 1 << 30
_RESERVE_SHARE = 16  # one part in 16: fragments, kernels, and what others come to take
_HOST_SHARE = 2  # one part in 2: reading documents, indexes and the system need the rest
_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Budgets:
    """What models may take together: on the device, and parked on the host; bytes."""

    device_bytes: int
    host_bytes: int


def budgets(
    device: str = "auto", *, memory_mb: int | None = None, host_memory_mb: int | None = None
) -> Budgets:
    """
    Say what models may take: what is given, else what is free now less a reserve.

    Where the device computes in the memory of its host, as a processor and Apple's GPU do, moving a model to the host
    would give nothing back; the host's budget is then 0, and models are freed.

    Args:
        device: "auto" takes a GPU where torch finds one; else "cpu", "cuda", "cuda:1", "mps".
        memory_mb: of the device, MiB; None measures.
        host_memory_mb: of the host, MiB; None measures.

    Raises:
        ConfigError: there is no such device.
        MissingExtraError: a device other than the processor needs torch.
    """
    kind = _resolved(device)
    free, shared = _device_free_bytes(kind)
    device_bytes = spare(free) if memory_mb is None else memory_mb << 20
    if shared:
        return Budgets(device_bytes, 0)
    host_bytes = host_free_bytes() // _HOST_SHARE if host_memory_mb is None else host_memory_mb << 20
    return Budgets(device_bytes, host_bytes)


def spare(free_bytes: int) -> int:
    """What of free memory models may take: all but a sixteenth, and all but 1 GiB."""
    return max(0, free_bytes - max(_MIN_RESERVE_BYTES, free_bytes // _RESERVE_SHARE))


def host_free_bytes() -> int:
    """Memory that can be had without swapping, the limit of a container included; half of all where none tells."""
    try:
        lines = dict(line.split(":", 1) for line in _MEMINFO.read_text("ascii").splitlines())
        free = int(lines["MemAvailable"].split()[0]) << 10
    except (OSError, ValueError, KeyError):
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return min(free, _container_free_bytes(free))


def readable(size_bytes: int) -> str:
    """A size in words: "512 MiB", "23.4 GiB"."""
    return f"{size_bytes / 2**30:,.1f} GiB" if size_bytes >= 1 << 30 else f"{size_bytes / 2**20:,.0f} MiB"


def _container_free_bytes(otherwise: int) -> int:
    try:
        limit = int((_CGROUP / "memory.max").read_text("ascii"))
        used = int((_CGROUP / "memory.current").read_text("ascii"))
        stat = dict(line.split() for line in (_CGROUP / "memory.stat").read_text("ascii").splitlines())
        return max(0, limit - used + int(stat.get("inactive_file", 0)))
    except (OSError, ValueError):  # no such limit: "max" is no number
        return otherwise


def _resolved(device: str) -> str:
    if device == "cpu":
        return device
    if importlib.util.find_spec("torch") is None:
        if device == "auto":
            return "cpu"
        raise MissingExtraError(f'the device "{device}" needs torch: pip install "ragvl[vl]"')
    import torch

    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if has_cuda else "mps" if has_mps else "cpu"
    kind, _, number = device.partition(":")
    found = {"cuda": torch.cuda.device_count() if has_cuda else 0, "mps": int(has_mps)}.get(kind, 0)
    if int(number or 0) >= found if number.isdecimal() or not number else True:
        raise ConfigError(f'there is no device "{device}" on this machine; "auto" takes what there is')
    return device


def _device_free_bytes(device: str) -> tuple[int, bool]:
    """Free bytes, and whether they are the host's."""
    if device == "cpu":
        return host_free_bytes(), True
    import torch

    if device.startswith("mps"):
        free = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        return min(free, host_free_bytes()), True
    free, _ = torch.cuda.mem_get_info(torch.device(device))
    return free, False
