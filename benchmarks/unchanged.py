"""
Measure what `ragvl index` costs when nothing has changed: the whole process over a folder of many small files.

    python benchmarks/unchanged.py

The files are made up, the same ones every time; the target is 2 s for 1,000 of them.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from machine import RAGVL_PACKAGES, describe_machine
from tables import markdown, ratio, seconds

_FILES_A_FOLDER = 50
_TARGET_S = 2.0


def make_files(folder: Path, count: int) -> None:
    """Write small text files of 40 to 120 words."""
    words = Path(__file__).parents[1].joinpath("LICENSE").read_text("utf-8").split()
    chance = random.Random(0)
    for number in range(count):
        path = folder / f"folder-{number // _FILES_A_FOLDER:03d}" / f"note-{number:05d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"Note {number}\n\n{' '.join(chance.choices(words, k=chance.randint(40, 120)))}\n", "utf-8"
        )


def index(documents: Path, folder: Path) -> tuple[float, dict[str, object]]:
    """Run `ragvl index` as a process; returns its wall time and its report."""
    ragvl = str(Path(sys.executable).with_name("ragvl"))
    command = [ragvl, "index", str(documents), "--index", str(folder), "--json"]
    started = time.perf_counter()
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wall_s = time.perf_counter() - started
    return wall_s, json.loads(finished.stdout)["report"]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument(
        "--runs", type=int, default=5, help="over the unchanged folder (default: %(default)s)"
    )
    options = parser.parse_args()
    print(describe_machine(ragvl=(sys.executable, RAGVL_PACKAGES)))
    with tempfile.TemporaryDirectory(prefix="ragvl-benchmark-") as scratch:
        documents, folder = Path(scratch) / "documents", Path(scratch) / "index"
        make_files(documents, options.files)
        first_s, _ = index(documents, folder)
        again = [index(documents, folder) for _ in range(options.runs)]
    if any(report["unchanged"] != options.files for _, report in again):
        raise SystemExit(f"not all {options.files} files were unchanged: {again[0][1]}")
    again_s = median(wall_s for wall_s, _ in again)
    rows = [
        ["first run", seconds(first_s), ratio(first_s, first_s)],
        [f"unchanged, median of {options.runs}", seconds(again_s), ratio(again_s, first_s)],
        ["target", seconds(_TARGET_S), "-"],
    ]
    print(markdown(f"`ragvl index`, {options.files:,} files, whole process", ("run", "time", "ratio"), rows))


if __name__ == "__main__":
    main()
