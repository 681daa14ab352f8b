"""Work in batches that fit into memory: when one does not, the batches become smaller, and all of it is still done."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable, Sequence

__all__ = ["BatchBudget", "is_out_of_memory", "release_memory"]

logger = logging.getLogger(__name__)

_PHRASES = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "alloc_failed",
    "bad_alloc",
)


class BatchBudget:
    """
    How much is encoded at once. It only ever shrinks: what did not fit once is not tried again.

    Attributes:
        limit: highest cost of a batch, which is its costliest item's, times their number, as rows are padded.
    """

    def __init__(self, limit: int, unit: str) -> None:
        """Start with a limit, in a unit such as "pixels"."""
        self.limit = limit
        self._unit = unit

    def run(
        self, costs: Sequence[int], encode: Callable[[list[int]], None], too_large: Callable[[int], str]
    ) -> None:
        """
        Encode items in batches of similar cost, the costliest first.

        Args:
            costs: of each item.
            encode: takes positions in `costs`; after a failure it is called again with fewer.
            too_large: the message for an item that does not fit alone.

        Raises:
            MemoryError: one item does not fit.
        """
        waiting = sorted(range(len(costs)), key=lambda position: (-costs[position], position))
        while waiting:
            most = max(1, self.limit // max(costs[waiting[0]], 1))
            batch = waiting[:most]
            if _fits(encode, batch):
                waiting = waiting[len(batch) :]
                continue
            release_memory()
            if len(batch) == 1:
                raise MemoryError(too_large(batch[0]))
            self.limit = min(self.limit, costs[batch[0]] * len(batch)) // 2
            logger.warning(
                "out of memory with %d at once; going on with %s %s a batch",
                len(batch),
                f"{self.limit:,}",
                self._unit,
            )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: torch's own for GPUs, and what its allocators on CPUs raise."""
    torch = sys.modules.get("torch")
    if isinstance(error, MemoryError) or (torch and isinstance(error, torch.OutOfMemoryError)):
        return True
    text = str(error).casefold()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in _PHRASES)


def release_memory() -> None:
    """Give back what nothing refers to any more, also what torch keeps of a GPU's memory for later."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _fits(encode: Callable[[list[int]], None], batch: list[int]) -> bool:
    try:
        encode(batch)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return False  # the traceback, which holds the tensors, goes with the error
    return True
