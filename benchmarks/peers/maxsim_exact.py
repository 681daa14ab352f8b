"""Exact MaxSim with maxsim-cpu, all in memory; run by benchmarks/maxsim_peers.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import maxsim_cpu
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from maxsim_store import Bags, run


class Lists:
    """A list of arrays."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._bags: dict[int, Any] = {}

    def add(self, first_id: int, bags: Bags) -> None:
        """Keep them."""
        self._bags |= dict(enumerate(bags, first_id))

    def delete(self, page_ids: list[int]) -> None:
        """Forget them."""
        for page_id in page_ids:
            del self._bags[page_id]

    def search(self, query: Any, k: int) -> list[int]:
        """Compare with all."""
        scores = np.asarray(maxsim_cpu.maxsim_scores_variable(query, list(self._bags.values())))
        ids = np.fromiter(self._bags, dtype=np.int64)
        found: list[int] = ids[np.argsort(-scores, kind="stable")[:k]].tolist()
        return found

    def size_bytes(self) -> int:
        """Of the arrays."""
        return sum(bag.nbytes for bag in self._bags.values())


if __name__ == "__main__":
    run(Lists)
