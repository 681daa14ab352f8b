"""Compare bits with FAISS instead of ragvl's kernel; run by benchmarks/maxsim_million.py."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform
from multivector.building import open_segment

from ragvl.indexers.multivector.blocks import page_of
from ragvl.indexers.multivector.kernels.choice import fastest_kernels
from ragvl.indexers.multivector.query import QueryCodes

_QUESTIONS = 10


def compare(job: dict[str, Any]) -> dict[str, list[float]]:
    """
    Score all pages of a segment, one thread each.

    Returns:
        Seconds a question: `ragvl`; `hammings`, all distances by `faiss.hammings`, reduced by numpy; `flat`, the 2,000
        nearest coarse vectors of each query vector by `IndexBinaryFlat`, which is no MaxSim of all pages yet.
    """
    faiss.omp_set_num_threads(1)
    with np.load(job["questions"]) as stored:
        questions = [stored[name] for name in sorted(stored.files)[:_QUESTIONS]]
    segment = open_segment(Path(job["segments"][0]))
    foot, pages = segment.foot, len(segment)
    codes = np.concatenate([page_of(foot.blocks, row, pages, foot.coarse_shape) for row in range(pages)])
    bits = 64 * foot.coarse_shape[1]
    flat = faiss.IndexBinaryFlat(bits)
    flat.add(codes.view(np.uint8))
    kernels = fastest_kernels()
    times: dict[str, list[float]] = {"ragvl": [], "hammings": [], "flat": []}
    for question in questions:
        query = QueryCodes.of(question, foot.coarse_shape[1]).bits
        scores = np.empty(pages, dtype=np.int32)
        started = time.perf_counter()
        kernels.scan(query, foot.blocks, foot.coarse_shape[0], scores)
        times["ragvl"].append(time.perf_counter() - started)
        started = time.perf_counter()
        total = _hammings(query, codes).reshape(len(query), pages, -1).min(axis=2).sum(axis=0)
        times["hammings"].append(time.perf_counter() - started)
        if not np.array_equal(len(query) * bits - 2 * total, scores):
            raise RuntimeError("FAISS and ragvl count bits differently")
        started = time.perf_counter()
        flat.search(query.view(np.uint8), min(2000, pages))
        times["flat"].append(time.perf_counter() - started)
    return times


def _hammings(query: Any, codes: Any) -> Any:
    distances = np.empty((len(query), len(codes)), dtype=np.int32)
    faiss.hammings(
        faiss.swig_ptr(query.view(np.uint8)),
        faiss.swig_ptr(codes.view(np.uint8)),
        len(query),
        len(codes),
        query.shape[1] * 8,
        faiss.swig_ptr(distances),
    )
    return distances


if __name__ == "__main__":
    perform(compare)
