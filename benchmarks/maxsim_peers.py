"""
Compare ragvl's search by MaxSim with other engines that run in the same process as their caller.

    python benchmarks/maxsim_peers.py DATA_DIR --index INDEX --model PEER_MODEL --cache CACHE --scratch DIR --peer PYTHON

All hold the same vectors of the same pages, each engine in a process of its own. `--peer` is an environment with maxsim-cpu,
faiss-cpu and lancedb; without one of them its rows are left out, and why is printed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from arguments import PEERS, SIDES
from machine import describe_machine
from measuring import Measured, percentile, run_side
from multivector.arguments import collection, states_parser
from multivector.pages import Collection, Vectors
from tables import markdown, seconds

from ragvl.indexers.multivector.kernels import exact
from ragvl.indexers.multivector.ranking import best

K = 10
PEER_PACKAGES = ("maxsim-cpu", "faiss-cpu", "lancedb", "numpy")
# name, script, what it is run with: one row each
ENGINES: tuple[tuple[str, Path, tuple[Any, ...]], ...] = (
    ("ragvl, tiers", SIDES / "maxsim_segments.py", ([16, 2000, 200], [16, 500, 100], [8, 500, 100])),
    ("maxsim-cpu, exact", PEERS / "maxsim_exact.py", (None,)),
    ("FAISS, inverted file of vectors", PEERS / "maxsim_faiss_ivf.py", ([8, 100], [32, 300], [64, 1000])),
    ("LanceDB", PEERS / "maxsim_lancedb.py", ("exact",)),
)


class Comparison:
    """The same work for every engine."""

    def __init__(self, options: Any, made: Collection) -> None:
        self._options = options
        self._folder = options.scratch
        self._bags = [made.page(number) for number in range(options.pages)]
        questions = made.questions()[: options.questions]
        self._deleted = list(range(1, options.pages + 1, max(1, options.pages // options.deleted)))[
            : options.deleted
        ]
        ends = np.cumsum([len(bag) for bag in self._bags])
        vectors = np.concatenate(self._bags)
        self._wanted = self._exact(questions, vectors, ends)
        np.save(self._folder / "vectors.npy", vectors)
        np.save(self._folder / "ends.npy", ends)
        np.savez(
            self._folder / "questions.npz",
            **{f"{number:04}": query for number, query in enumerate(questions)},
        )

    def measure(self, script: Path, settings: tuple[Any, ...]) -> tuple[Any, Measured]:
        """Run one engine with each of its settings."""
        files = {name: str(self._folder / f"{name}.npy") for name in ("vectors", "ends")}
        job = {
            **files,
            "questions": str(self._folder / "questions.npz"),
            "folder": str(self._folder),
            "dimension": self._bags[0].shape[1],
            "added": self._options.added,
            "deleted": self._deleted,
            "k": K,
            "settings": settings,
        }
        interpreter = sys.executable if script.parent == SIDES else self._options.peer
        return run_side(interpreter, script, job)

    def row(self, name: str, result: Any, measured: Measured) -> list[str]:
        """One engine with one setting; peak memory is that of all its settings."""
        shares = [
            np.isin(exact_best, found).mean()
            for exact_best, found in zip(self._wanted, result["found"], strict=True)
        ]
        setting = "" if result["setting"] is None else f" {result['setting']}"
        return [
            name + setting,
            f"{np.mean(shares):.3f}",
            f"{len(shares) / sum(result['search_s']):.1f}",
            seconds(percentile(result["search_s"], 0.95)),
            f"{result['bytes'] / len(self._bags):,.0f}",
            seconds(result["build_s"]),
            seconds(result["add_s"]),
            seconds(result["delete_s"]),
            measured.peak,
        ]

    def _exact(self, questions: list[Vectors], vectors: Vectors, ends: np.ndarray) -> list[Any]:
        ids = np.arange(1, len(ends) + 1)
        living = ~np.isin(ids, self._deleted)
        scores = [exact.maxsim(query, vectors, ends)[living] for query in questions]
        return [ids[living][best(some, ids[living], K)] for some in scores]


def main() -> None:
    """Run the command line."""
    parser = states_parser(__doc__, pages=5_000)
    parser.add_argument(
        "--scratch", type=Path, required=True, metavar="DIR", help="a folder that is made and deleted"
    )
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter of an environment with the peers")
    parser.add_argument("--added", type=int, default=1_000, metavar="N", help="pages added to those before")
    parser.add_argument("--deleted", type=int, default=100, metavar="N", help="pages deleted then")
    options = parser.parse_args()
    machines: dict[str, Any] = {"ragvl": (sys.executable, ("ragvl", "numpy", "numba", "scipy"))}
    if options.peer:
        machines["peers"] = (options.peer, PEER_PACKAGES)
    print(describe_machine(**machines))
    if options.scratch.exists():
        parser.error(f"--scratch {options.scratch} exists; it would be deleted")
    options.scratch.mkdir(parents=True)
    rows = []
    try:
        comparison = Comparison(options, collection(options))
        for name, script, settings in ENGINES:
            if script.parent == PEERS and not options.peer:
                continue
            try:
                results, measured = comparison.measure(script, settings)
            except subprocess.CalledProcessError as error:
                print(
                    f"{name} is left out: it ended with status {error.returncode}, see above", file=sys.stderr
                )
                continue
            rows += [comparison.row(name, result, measured) for result in results]
    finally:
        shutil.rmtree(options.scratch, ignore_errors=True)
    header = (
        "engine",
        "share of the exact ten",
        "queries a second",
        "p95",
        "bytes a page",
        f"first {options.pages - options.added:,} pages",
        f"{options.added:,} more",
        f"{options.deleted:,} deleted",
        "peak memory",
    )
    print(markdown(f"Late interaction over {options.pages:,} pages, one caller", header, rows))


if __name__ == "__main__":
    main()
