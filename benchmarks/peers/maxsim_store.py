"""What every store of page vectors does in maxsim_peers.py, and how it is timed; needs numpy only."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform

__all__ = ["Bags", "Store", "folder_bytes", "run"]

Bags = Sequence[NDArray[np.float32]]


class Store(Protocol):
    """Pages with vectors, on the disk or in memory."""

    def add(self, first_id: int, bags: Bags) -> None:
        """Add pages, numbered on from `first_id`, so that they are found and kept."""

    def delete(self, page_ids: list[int]) -> None:
        """Take pages out."""

    def search(self, query: NDArray[np.float32], k: int) -> list[int]:
        """The k best pages."""

    def size_bytes(self) -> int:
        """On the disk, or in memory for a store that has no files."""


def run(make: Any) -> None:
    """Do the job: `make(job)` is called once for each of `job["settings"]`, merged into the job as "setting"."""
    perform(lambda job: [_measure(make, {**job, "setting": setting}) for setting in job["settings"]])


def _measure(make: Any, job: dict[str, Any]) -> dict[str, Any]:
    vectors, ends = np.load(job["vectors"], mmap_mode="r"), np.load(job["ends"])
    starts = np.concatenate([[0], ends[:-1]])
    bags = [np.asarray(vectors[start:end]) for start, end in zip(starts, ends, strict=True)]
    with np.load(job["questions"]) as stored:
        questions = [stored[name] for name in sorted(stored.files)]
    store: Store = make(job)
    kept = len(bags) - job["added"]
    result: dict[str, Any] = {"setting": job["setting"]}
    result["build_s"] = _seconds(lambda: store.add(1, bags[:kept]))
    result["add_s"] = _seconds(lambda: store.add(kept + 1, bags[kept:]))
    result["delete_s"] = _seconds(lambda: store.delete(job["deleted"]))
    for question in questions[:3]:
        store.search(question, job["k"])
    result["found"], result["search_s"] = [], []
    for question in questions:
        started = time.perf_counter()
        result["found"].append(store.search(question, job["k"]))
        result["search_s"].append(time.perf_counter() - started)
    result["bytes"] = store.size_bytes()
    return result


def folder_bytes(folder: Path) -> int:
    """Of all files in a folder, as the disk holds them."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
