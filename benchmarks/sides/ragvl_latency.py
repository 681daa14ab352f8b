"""Time every search of a warm library, and its parts; run by benchmarks/latency.py."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform
from stopwatch import Stopwatch

import ragvl
from ragvl.indexers.encoders import EmbeddedTextEncoder
from ragvl.indexers.store.segments import VectorTable
from ragvl.retrievers.lexical import LexicalLane


def ask(job: dict[str, Any]) -> dict[str, Any]:
    """
    Ask `questions`, one at a time, after `warm_up`.

    Returns:
        `open_s`, until the first answer; `searches`, seconds of each question as a whole, by part, and of all processor cores.
    """
    watch = Stopwatch()
    watch.watch(EmbeddedTextEncoder, "encode_queries", "query encoding")
    watch.watch(LexicalLane, "search", "lexical")
    watch.watch(VectorTable, "search", "vectors")
    searches = []
    started = time.perf_counter()
    with ragvl.open(job["index"], overrides=job.get("overrides", {})) as library:
        library.search(job["warm_up"][0], k=job["k"])
        open_s = time.perf_counter() - started
        for question in job["warm_up"]:
            library.search(question, k=job["k"])
        for question in job["questions"]:
            watch.reset()
            started, cpu_s = time.perf_counter(), time.process_time()
            library.search(question, k=job["k"])
            total_s = time.perf_counter() - started
            cpu_s = time.process_time() - cpu_s
            rest_s = total_s - sum(watch.spent_s.values())
            searches.append({"total": total_s, "cpu": cpu_s, **watch.spent_s, "rest": rest_s})
    return {"open_s": open_s, "searches": searches}


if __name__ == "__main__":
    perform(ask)
