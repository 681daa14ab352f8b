"""Search segments of pages by MaxSim, and time it; run by benchmarks/maxsim_million.py and maxsim_peers.py."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform
from multivector.building import open_segment

from ragvl.config import TierConfig
from ragvl.indexers.multivector.kernels.choice import fastest_kernels
from ragvl.indexers.multivector.query import QueryCodes
from ragvl.indexers.multivector.table import MultiVectorTable


def search(job: dict[str, Any]) -> dict[str, Any]:
    """
    Ask each question once, after a warm-up of three.

    Returns:
        `open_s`; for each question `total`, `scan` of the first tier and `weigh`, its best tenth again, in seconds; `found`,
        page ids;
        `bytes`, memory of this process that no file backs, at its end.
    """
    with np.load(job["questions"]) as stored:
        questions = [stored[name] for name in sorted(stored.files)]
    started = time.perf_counter()
    segments = [open_segment(Path(path)) for path in job["segments"]]
    table = MultiVectorTable(segments, TierConfig.model_validate(job["tiers"]), threads=job["threads"])
    opened_s = time.perf_counter() - started
    kernels = fastest_kernels()
    for question in questions[:3]:
        table.search(question, job["k"])
    searches, found = [], []
    every = np.arange(len(table))
    for question in questions:
        codes = QueryCodes.of(question, segments[0].foot.coarse_shape[1])
        started = time.perf_counter()
        scanned = table._scan(kernels, codes, every, len(table) // 10)
        scan_s = time.perf_counter() - started
        started = time.perf_counter()
        table._weigh(kernels, codes, scanned, min(len(scanned), job["tiers"]["coarse_candidates"]))
        weigh_s = time.perf_counter() - started
        started = time.perf_counter()
        pages = table.search(question, job["k"])
        total_s = time.perf_counter() - started
        searches.append({"scan": scan_s, "weigh": weigh_s, "total": total_s})
        found.append([page.page_id for page in pages])
    return {"open_s": opened_s, "searches": searches, "found": found, "bytes": _anonymous_bytes()}


def _anonymous_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


if __name__ == "__main__":
    perform(search)
