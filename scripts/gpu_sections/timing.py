"""Times of GPU work: CUDA events, warmed up, with a cold cache, as median and spread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

__all__ = ["NotRun", "Times", "gpu_times", "peak_memory"]

_FLUSH_BYTES = 512 << 20


class NotRun(Exception):
    """A section or a row that this machine cannot run; the message says why."""


@dataclass(frozen=True)
class Times:
    """Milliseconds of one call: median, 10th and 90th percentile of `count` calls."""

    median_ms: float
    p10_ms: float
    p90_ms: float
    count: int

    def row(self) -> dict[str, float]:
        """Return the numbers by name, rounded to tenths of a microsecond."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def gpu_times(
    call: Callable[[], Any], *, warm_up: int = 25, most: int = 100, budget_s: float = 3.0, cold: bool = True
) -> Times:
    """
    Time a call between CUDA events.

    Args:
        call: what is timed; it launches work and need not wait for it.
        warm_up: calls before; fewer, but 3 at least, when the budget is spent on them.
        most: calls timed; fewer, but 3 at least, when the budget is spent.
        budget_s: seconds to spend on each of the two.
        cold: write 512 MiB before each call, so that no operand is left in the cache. The host runs ahead
            while that is written, so launching is not timed unless it takes longer than the work.
    """
    flush = torch.empty(_FLUSH_BYTES, dtype=torch.uint8, device="cuda") if cold else None
    first = _one(call, flush)
    for _ in range(max(3, min(warm_up, int(budget_s * 1000 / max(first, 0.01))))):
        call()
    torch.cuda.synchronize()
    count = max(3, min(most, int(budget_s * 1000 / max(_one(call, flush), 0.01))))
    pairs = [_enqueue(call, flush) for _ in range(count)]
    torch.cuda.synchronize()
    taken = sorted(start.elapsed_time(stop) for start, stop in pairs)
    return Times(taken[count // 2], taken[count // 10], taken[count - 1 - count // 10], count)


def peak_memory(call: Callable[[], Any]) -> float:
    """Return the GiB that a call held at most, beyond what was held before it."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    return round((torch.cuda.max_memory_allocated() - before) / 2**30, 3)


def _one(call: Callable[[], Any], flush: torch.Tensor | None) -> float:
    start, stop = _enqueue(call, flush)
    torch.cuda.synchronize()
    return start.elapsed_time(stop)


def _enqueue(
    call: Callable[[], Any], flush: torch.Tensor | None
) -> tuple[torch.cuda.Event, torch.cuda.Event]:
    start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    if flush is not None:
        flush.zero_()
    start.record()
    call()
    stop.record()
    return start, stop
