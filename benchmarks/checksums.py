"""
Measure what the checksum of every database page costs: the same documents indexed and searched with and without.

    python benchmarks/checksums.py

The documents are made up, the same ones every time, and the encoder is the hash encoder, which costs next to nothing:
with a real one the share of the checksums is smaller still. The two sides take turns; medians are shown.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from machine import RAGVL_PACKAGES, describe_machine
from tables import markdown, ratio, seconds

import ragvl
from ragvl.indexers.store import database
from ragvl.testing import HashEncoder, write_documents

_QUERIES = 40
_PARTS = ("index, whole run", "index, commits only", "open and first search", "search")


def make_documents(folder: Path, count: int) -> list[str]:
    """Write text files of about 600 words; returns queries about them."""
    words = sorted(set(Path(__file__).parents[1].joinpath("LICENSE").read_text("utf-8").split()))
    chance = random.Random(0)
    for number in range(count):
        lines = [" ".join(chance.choices(words, k=12)) for _ in range(50)]
        write_documents(folder, {f"{number // 100:02d}/note-{number:04d}.txt": "\n".join(lines)})
    return [" ".join(chance.choices(words, k=5)) for _ in range(_QUERIES)]


@contextmanager
def checksums(on: bool) -> Iterator[None]:
    """Use the VFS that writes and checks them, or SQLite's own; the layout of pages is the same."""
    kept = database._VFS
    database._VFS = kept if on else "unix"
    try:
        yield
    finally:
        database._VFS = kept


def measure(documents: Path, folder: Path, queries: list[str]) -> dict[str, float]:
    """Seconds by part, of one run over a new index."""
    with ragvl.open(folder, encoder=HashEncoder()) as library:
        started = time.perf_counter()
        report = library.index(documents)
        spent = {
            "index, whole run": time.perf_counter() - started,
            "index, commits only": report.timings_s["commit"],
        }
    started = time.perf_counter()
    with ragvl.open(folder, encoder=HashEncoder()) as library:
        library.search(queries[0])
        spent["open and first search"] = time.perf_counter() - started
        times = []
        for query in queries:
            started = time.perf_counter()
            library.search(query)
            times.append(time.perf_counter() - started)
    spent["search"] = median(times)
    return spent


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=1500, help="how many (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of both sides (default: %(default)s)")
    options = parser.parse_args()
    print(describe_machine(ragvl=(sys.executable, RAGVL_PACKAGES)))
    found: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    with tempfile.TemporaryDirectory(prefix="ragvl-benchmark-") as scratch:
        queries = make_documents(Path(scratch) / "documents", options.documents)
        for number in range(options.rounds):
            for on in (True, False) if number % 2 else (False, True):
                folder = Path(scratch) / "index" / ".ragvl"
                with checksums(on):
                    found[on].append(measure(Path(scratch) / "documents", folder, queries))
                size_mib = (folder / "ragvl.db").stat().st_size / 2**20
                shutil.rmtree(folder.parent)
    rows = []
    for part in _PARTS:
        without, with_them = (median(one[part] for one in found[on]) for on in (False, True))
        rows.append([part, seconds(without), seconds(with_them), ratio(with_them, without)])
    title = f"Page checksums, {options.documents:,} documents, database of {size_mib:.0f} MiB"
    print(markdown(title, ("part", "without", "with", "ratio"), rows))


if __name__ == "__main__":
    main()
