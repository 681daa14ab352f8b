"""
Measure what a search by MaxSim costs at 10,000, 100,000 and 1,000,000 pages.

    python benchmarks/maxsim_million.py DATA_DIR --index INDEX --model PEER_MODEL --cache CACHE --scratch DIR \\
        --plot docs/images/maxsim-million.svg

The pages are grown from `--pages` pages of real token states by altering copies of their codes (multivector/growing.py). They
lie in segments under `--scratch`, 18 kB a page, and are deleted at the end. Tier 3 stands in: it holds 64 vectors a page, not
all of them, so it reads 200 records of 9 kB where a page of 700 vectors has 97 kB.
"""

from __future__ import annotations

import itertools
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from arguments import SIDES
from machine import describe_machine
from measuring import Measured, percentile, run_side
from multivector.arguments import collection, states_parser
from multivector.building import Shelf
from multivector.growing import grown_segments
from multivector.plot import draw
from tables import markdown, seconds

from ragvl.config import TierConfig

PACKAGES = ("ragvl", "numpy", "numba", "faiss-cpu")
_SEGMENT_PAGES = 100_000


def segment_sizes(sizes: list[int]) -> list[int]:
    """Pages of each segment, such that the first so many segments make each size."""
    found: list[int] = []
    for before, size in itertools.pairwise([0, *sizes]):
        whole, rest = divmod(size - before, _SEGMENT_PAGES)
        found += [_SEGMENT_PAGES] * whole + [rest] * bool(rest)
    return found


def row(pages: int, result: Any, measured: Measured) -> list[str]:
    """One size."""
    times = {part: [search[part] for search in result["searches"]] for part in ("scan", "weigh", "total")}
    return [
        f"{pages:,}",
        seconds(percentile(times["scan"], 0.5)),
        seconds(percentile(times["weigh"], 0.5)),
        seconds(percentile(times["total"], 0.5)),
        seconds(percentile(times["total"], 0.95)),
        seconds(result["open_s"]),
        f"{result['bytes'] / 2**20:,.0f} MiB",
        measured.peak,
    ]


def faiss_table(pages: int, times: dict[str, list[float]]) -> str:
    """Engines for tier 1."""
    names = {
        "ragvl": "ragvl's kernel: MaxSim of all pages",
        "hammings": "faiss.hammings and numpy: MaxSim of all pages",
        "flat": "IndexBinaryFlat: 2,000 nearest coarse vectors of each query vector",
    }
    rows = [[names[name], seconds(percentile(found, 0.5))] for name, found in times.items()]
    return markdown(f"Tier 1 by engine, {pages:,} pages, one thread, p50", ("engine", "time"), rows)


def main() -> None:
    """Run the command line."""
    parser = states_parser(__doc__, pages=5_000)
    parser.add_argument(
        "--scratch", type=Path, required=True, metavar="DIR", help="a folder that is made and deleted"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], metavar="N")
    parser.add_argument("--coarse-vectors", type=int, default=TierConfig().coarse_vectors, metavar="N")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="(default: one a core)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="an SVG file to write")
    options = parser.parse_args()
    print(describe_machine(ragvl=(sys.executable, PACKAGES)))
    sizes = sorted(options.sizes)
    made = collection(options)
    tiers = TierConfig(coarse_vectors=options.coarse_vectors)
    if options.scratch.exists():
        parser.error(f"--scratch {options.scratch} exists; it would be deleted")
    options.scratch.mkdir(parents=True)
    try:
        source = Shelf(made, options.pages, options.cache / "pages").segment(tiers)
        paths = grown_segments(source, segment_sizes(sizes), options.scratch)
        questions = options.scratch / "questions.npz"
        asked = made.questions()[: options.questions]
        np.savez(questions, **{f"{number:04}": question for number, question in enumerate(asked)})
        rows, lines = [], {"whole search, p50": [], "scan of tier 1, p50": []}
        for size in sizes:
            chosen = paths[: len(segment_sizes([one for one in sizes if one <= size]))]
            job = {
                "questions": str(questions),
                "segments": [str(path) for path in chosen],
                "tiers": tiers.model_dump(),
                "threads": options.threads,
                "k": 10,
            }
            result, measured = run_side(sys.executable, SIDES / "maxsim_search.py", job)
            rows.append(row(size, result, measured))
            for name, part in zip(lines, ("total", "scan"), strict=True):
                lines[name].append(percentile([search[part] for search in result["searches"]], 0.5))
            if size == sizes[0]:
                times, _ = run_side(sys.executable, SIDES / "maxsim_faiss.py", job)
        vectors = np.mean([len(question) for question in asked])
        title = f"Search by MaxSim, {len(asked)} questions of {vectors:.0f} vectors, tier 3 standing in"
        header = (
            "pages",
            "scan of tier 1, p50",
            "its best tenth weighed, p50",
            "whole, p50",
            "whole, p95",
            "opening",
            "own memory",
            "peak memory",
        )
        print(markdown(title, header, rows))
        print(faiss_table(segment_sizes(sizes)[0], times))
        if options.plot:
            options.plot.parent.mkdir(parents=True, exist_ok=True)
            options.plot.write_text(draw(sizes, lines, "pages in the index"), "utf-8")
    finally:
        shutil.rmtree(options.scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
