"""Index a folder with ragvl, persisted; run by benchmarks/indexing.py and benchmarks/retrieval.py."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform

import ragvl
from ragvl.types import IndexProgress


def index(job: dict[str, Any]) -> dict[str, Any]:
    """
    Index `documents` into `index` under `overrides`.

    Returns:
        pages, passages, failed; `index_s`, the call itself; `searchable_s`, from the start of the process until the
        first document was committed.
    """
    first: list[float] = []

    def note(progress: IndexProgress) -> None:
        if progress.passages and not first:
            first.append(time.time() - job["started"])

    with ragvl.open(job["index"], overrides=job["overrides"]) as library:
        started = time.perf_counter()
        report = library.index(job["documents"], progress=note)
        index_s = time.perf_counter() - started
    return {
        "pages": report.pages,
        "units": report.passages,
        "failed": [f"{failure.path}: {failure.status} {failure.reason}" for failure in report.failed],
        "index_s": index_s,
        "searchable_s": first[0] if first else time.time() - job["started"],
        "timings_s": dict(report.timings_s),
    }


if __name__ == "__main__":
    perform(index)
