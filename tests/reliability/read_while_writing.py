"""
Search in several processes while one writes, merges and compacts: a search must see one generation, whole.

    python tests/reliability/read_while_writing.py --readers 4 --seconds 10

Documents come and go in pairs, each pair in one commit. Readers check that both halves of a pair are found, by
words and by vectors, or neither; a warning is an error, for it tells that something was left out.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from harness import finish, open_library, open_writer, put

from ragvl.library import Library

_STARTING_PAIRS = 40


def read(folder: Path, seconds: float, seed: int) -> dict[str, object]:
    """Search until the time is over; returns counts and what was wrong."""
    complaints: list[str] = []
    noted = logging.Handler()
    noted.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("ragvl").addHandler(noted)
    chance = random.Random(seed)
    counts: Counter[str] = Counter()
    generations = set()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with open_library(folder) as library:
            for _ in range(chance.randint(1, 30)):
                complaints += _look(library, chance, counts)
                generations.add(_generation(library))
            if chance.random() < 0.05:
                complaints += [f"verify: {damage}" for damage in library.verify().damages]
                counts["verified"] += 1
    return {"complaints": complaints[:20], "generations_seen": len(generations), **counts}


def write(folder: Path, seconds: float, seed: int) -> dict[str, int]:
    """Commit, remove, merge and compact until the time is over."""
    chance = random.Random(seed)
    pairs = list(range(_STARTING_PAIRS))
    counts: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with open_writer(folder, paged=True) as writer:
            for _ in range(12):
                with writer.batch() as batch:
                    pairs.append(pairs[-1] + 1)
                    for half in ("left", "right"):
                        put(batch, f"{half}-{pairs[-1]}.txt", _text(pairs[-1], half))
                    if chance.random() < 0.8:
                        gone = pairs.pop(chance.randrange(len(pairs) - 1))
                        for half in ("left", "right"):
                            batch.drop_file(f"{half}-{gone}.txt".encode())
                counts["commits"] += 1
                time.sleep(0.005)
            if chance.random() < 0.3:
                writer.compact()
                counts["compactions"] += 1
            else:
                writer.tidy()
                counts["merges"] += 1
    return counts


def _look(library: Library, chance: random.Random, counts: Counter[str]) -> list[str]:
    counts["searches"] += 1
    complaints = []
    held = Counter(document.path.rpartition("-")[2] for document in library.documents())
    complaints += [f"documents: half of pair {name}" for name, count in held.items() if count != 2]
    number = int(chance.choice(sorted(held)).partition(".")[0]) + chance.randint(0, 3)
    hits = [hit for hit in library.search(f"pair{number}", k=10) if f"pair{number} " in hit.page.text]
    lanes = [sorted(lane.lane for lane in hit.lanes) for hit in hits]
    if lanes not in ([], [["image", "lexical", "text"], ["image", "lexical", "text"]]):
        complaints.append(f"search: pair {number} is found as {lanes}")
    counts["found"] += bool(hits)
    return complaints


def _generation(library: Library) -> int:
    with library._open_reader().snapshot() as snapshot:
        return snapshot.generation


def _text(number: int, half: str) -> str:
    return f"pair{number} of crates stands on the {half} side of berth {number % 7}"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--read", type=Path, metavar="INDEX", help="be one of the readers")
    options = parser.parse_args()
    if options.read:
        sys.stdout.write(json.dumps(read(options.read, options.seconds, options.seed)))
        return
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ragvl-readers-") as scratch:
        folder = Path(scratch) / ".ragvl"
        with open_writer(folder, paged=True) as writer:
            for number in range(_STARTING_PAIRS):
                with writer.batch() as batch:
                    for half in ("left", "right"):
                        put(batch, f"{half}-{number}.txt", _text(number, half))
        command = [sys.executable, __file__, "--read", str(folder), "--seconds", str(options.seconds)]
        # FAISS's threads would wait for one another on a machine with fewer cores than readers.
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        readers = [
            subprocess.Popen(
                [*command, "--seed", str(seed)], stdout=subprocess.PIPE, text=True, env=environment
            )
            for seed in range(options.readers)
        ]
        written = write(folder, options.seconds + 1, options.seed)
        figures: Counter[str] = Counter(written)
        failures = []
        for reader in readers:
            told = reader.communicate()[0]
            if reader.returncode:
                failures.append(f"a reader ended with {reader.returncode}")
                continue
            seen = json.loads(told)
            failures += seen.pop("complaints")
            figures.update(seen)
        with open_library(folder) as library:
            failures += [f"verify: {damage}" for damage in library.verify().damages]
    if figures["commits"] < 50 or not figures["compactions"]:
        failures.append(f"only {figures['commits']} commits and {figures['compactions']} compactions")
    finish({"readers": options.readers, **figures}, failures, began)


if __name__ == "__main__":
    main()
