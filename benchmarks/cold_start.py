"""
Measure whole processes from start to end, as a person at a terminal waits for them.

    python benchmarks/cold_start.py INDEX --peer PEER_PYTHON

The commands take turns, so that a busy moment of the machine falls on all of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from machine import PEER_PACKAGES, RAGVL_PACKAGES, describe_machine
from tables import markdown, ratio, seconds

QUERY = "What was the total capital expenditure in 2018?"
BASELINE = "python -c pass"


def commands(index: Path | None, peer: str | None) -> dict[str, list[str]]:
    """What is started, by the name that the table shows."""
    ragvl = str(Path(sys.executable).with_name("ragvl"))
    found = {
        BASELINE: [sys.executable, "-c", "pass"],
        "ragvl --help": [ragvl, "--help"],
        "import ragvl": [sys.executable, "-c", "import ragvl"],
    }
    if index:
        found['ragvl search "..."'] = [ragvl, "search", QUERY, "--index", str(index)]
    if peer:
        found["peer: python -c pass"] = [peer, "-c", "pass"]
        found["peer: import llama_index.core"] = [peer, "-c", "import llama_index.core"]
    return found


def measure(started: Mapping[str, Sequence[str]], runs: int) -> dict[str, list[float]]:
    """Wall times by name; a first round, which fills the page cache, is not counted."""
    times: dict[str, list[float]] = {name: [] for name in started}
    for turn in range(runs + 1):
        for name, command in started.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if turn:
                times[name].append(time.perf_counter() - began)
    return times


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("index", type=Path, nargs="?", metavar="INDEX", help="an index to search in")
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter of an environment with LlamaIndex")
    parser.add_argument("--runs", type=int, default=15, help="of each command (default: %(default)s)")
    options = parser.parse_args()
    machines: dict[str, Any] = {"ragvl": (sys.executable, RAGVL_PACKAGES)}
    if options.peer:
        machines["peer"] = (options.peer, PEER_PACKAGES)
    print(describe_machine(**machines))
    times = measure(commands(options.index, options.peer), options.runs)
    baseline = median(times[BASELINE])
    rows = [
        [
            f"`{name}`",
            seconds(median(found)),
            seconds(min(found)),
            seconds(max(found)),
            ratio(median(found), baseline),
        ]
        for name, found in times.items()
    ]
    header = ("command", "median", "best", "worst", f"ratio to {BASELINE}")
    print(markdown(f"Cold start, whole process, {options.runs} runs", header, rows))


if __name__ == "__main__":
    main()
