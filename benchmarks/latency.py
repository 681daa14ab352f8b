"""
Measure how long one search takes: p50 and p95 of warm searches by one caller, at two sizes of library.

    python benchmarks/latency.py DATA_DIR --index FOLDER --grown FOLDER --peer PEER_PYTHON --peer-model FOLDER

The first size is the documents as they are, the second is made of altered copies (see sides/grow.py). LlamaIndex's hybrid
retriever, the baseline, holds the same pages with vectors put straight into FAISS, all in memory.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arguments import PEERS, SIDES, data_parser, parse
from dev_set import read_questions, warm_up_questions
from machine import PEER_PACKAGES, RAGVL_PACKAGES, describe_machine
from measuring import Measured, percentile, run_side
from tables import markdown, ratio

BASELINE = "LlamaIndex hybrid"
PARTS = ("query encoding", "lexical", "vectors", "rest")
_K = 10
_PEER_DEPTH = 30  # nodes from each retriever: enough for ten pages


class Benchmark:
    """Asks the same questions of every side at every size."""

    def __init__(self, options: Any, scratch: Path) -> None:
        self._options = options
        self._scratch = scratch
        questions = [question.text for question in read_questions(options.data)]
        self._asked = {
            "questions": questions[: options.questions],
            "warm_up": warm_up_questions(options.data),
        }

    def small_index(self) -> Path:
        """The index of the documents, made when missing."""
        index = self._options.index or self._scratch / "small"
        if not (index / "ragvl.db").exists():
            job = {"documents": str(self._options.data / "pdf"), "index": str(index), "overrides": {}}
            run_side(sys.executable, SIDES / "ragvl_index.py", job)
        return Path(index)

    def grown_index(self, source: Path) -> Path:
        """The large index, made when missing."""
        index = self._options.grown or self._scratch / "grown"
        if not (index / "ragvl.db").exists():
            job = {"source": str(source), "index": str(index), "pages": self._options.pages}
            run_side(sys.executable, SIDES / "grow.py", job)
        return Path(index)

    def measure(self, index: Path) -> tuple[int, dict[str, tuple[Any, Measured]]]:
        """Ask both sides about one index; returns its pages and what came of it."""
        exported = {
            "pages": str(self._scratch / "pages.jsonl"),
            "vectors": str(self._scratch / "vectors.npy"),
        }
        pages, _ = run_side(sys.executable, SIDES / "export_pages.py", {"index": str(index), **exported})
        job = {"index": str(index), "k": _K, **self._asked}
        results = {"ragvl": run_side(sys.executable, SIDES / "ragvl_latency.py", job)}
        if self._options.peer:
            job = {
                **exported,
                "model": self._options.peer_model,
                "chunk_tokens": self._options.peer_chunk_tokens,
                "depth": _PEER_DEPTH,
                "k": _K,
                **self._asked,
            }
            results[BASELINE] = run_side(self._options.peer, PEERS / "llama_index_latency.py", job)
        return pages, results


def report(pages: int, results: dict[str, tuple[Any, Measured]]) -> str:
    """One row a side for the whole search, then one row for each of its parts."""
    baseline = _at(results[BASELINE][0], "total", 0.95) if BASELINE in results else 0.0
    rows = []
    for name, (result, measured) in results.items():
        total = _row(name, result, "total")
        cpu = f"{_at(result, 'cpu', 0.5) * 1000:.1f} ms"
        rows.append([*total, ratio(_at(result, "total", 0.95), baseline), cpu, measured.peak])
        rows += [[*_row(f"{name}: {part}", result, part), "", "", ""] for part in PARTS]
    asked = len(next(iter(results.values()))[0]["searches"])
    header = ("search", "p50", "p95", "worst", f"p95 to {BASELINE}", "processor time, p50", "peak memory")
    return markdown(f"Warm search, {pages:,} pages with text, {asked} questions", header, rows)


def _row(name: str, result: Any, part: str) -> list[str]:
    return [name, *(f"{_at(result, part, share) * 1000:.1f} ms" for share in (0.5, 0.95, 1.0))]


def _at(result: Any, part: str, share: float) -> float:
    return percentile([search.get(part, 0.0) for search in result["searches"]], share)


def opening(sizes: Sequence[tuple[int, dict[str, tuple[Any, Measured]]]]) -> str:
    """What the first answer costs once the process runs."""
    rows = [
        [f"{name}, {pages:,} pages", f"{result['open_s']:.2f} s"]
        for pages, results in sizes
        for name, (result, _) in results.items()
    ]
    return markdown("Until the first answer (LlamaIndex: building both retrievers)", ("side", "time"), rows)


def main() -> None:
    """Run the command line."""
    parser = data_parser(__doc__)
    parser.add_argument(
        "--index", type=Path, help="ragvl's index; made when missing (default: a temporary one)"
    )
    parser.add_argument(
        "--grown", type=Path, help="the large index; made when missing (default: a temporary one)"
    )
    parser.add_argument("--pages", type=int, default=50_000, help="of the large index (default: %(default)s)")
    parser.add_argument("--questions", type=int, help="only the first so many")
    options = parse(parser)
    machines: dict[str, Any] = {"ragvl": (sys.executable, RAGVL_PACKAGES)}
    if options.peer:
        machines["peer"] = (options.peer, PEER_PACKAGES)
    print(describe_machine(**machines))
    with tempfile.TemporaryDirectory(prefix="ragvl-benchmark-") as scratch:
        benchmark = Benchmark(options, Path(scratch))
        small = benchmark.small_index()
        sizes = [benchmark.measure(index) for index in (small, benchmark.grown_index(small))]
    for pages, results in sizes:
        print(report(pages, results))
    print(opening(sizes))


if __name__ == "__main__":
    main()
