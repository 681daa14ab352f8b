"""Work cut into pieces, spread over threads; what comes out does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ragvl.indexers.processes import core_count

Piece = TypeVar("Piece")
Result = TypeVar("Result")


class Threads:
    """
    Threads that start with the first work there is for several.

    numba's own are not used: with one of its back ends, two callers at once would end the process.
    """

    def __init__(self, count: int) -> None:
        """Plan for `count` threads; 0 is one a core."""
        self._count = count or core_count()
        self._pool = ThreadPoolExecutor(self._count, "ragvl-maxsim")

    def map(self, work: Callable[[Piece], Result], pieces: Sequence[Piece]) -> list[Result]:
        """Do the work on each piece; results in the order of the pieces. The first error ends it."""
        if self._count == 1 or len(pieces) < 2:
            return [work(piece) for piece in pieces]
        return list(self._pool.map(work, pieces))
