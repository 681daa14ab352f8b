"""
Measure how fast documents become searchable: pages per second, peak memory, time to the first searchable document.

    python benchmarks/indexing.py DATA_DIR --documents text-layer --peer PEER_PYTHON --peer-model FOLDER

Each side indexes the same files in a fresh process and persists its index. `text-layer` takes the documents that need no
OCR, so that both sides do the same work; there the OCR of figures is switched off for the headline, and the default
settings follow in a row of their own.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arguments import PEERS, SIDES, data_parser, parse
from dev_set import has_text_layer, page_counts
from machine import PEER_PACKAGES, RAGVL_PACKAGES, describe_machine
from measuring import Measured, run_side
from tables import markdown, ratio, seconds

BASELINE = "LlamaIndex"
NO_FIGURES = {"reading": {"ocr": {"figures": False}}}


@dataclass(frozen=True, slots=True)
class Side:
    """One way to index: who runs what, with which job."""

    interpreter: str
    script: Path
    job: dict[str, Any]


def choose(data: Path, which: str, most: int | None) -> list[Path]:
    """The documents that a rule of this benchmark names, in the order of file names."""
    paths = [data / "pdf" / name for name in page_counts(data)]
    return [path for path in paths if which == "all" or has_text_layer(path)][:most]


def sides(options: Any) -> dict[str, Side]:
    """Every side by name, the baseline last: it takes longest."""
    ours = SIDES / "ragvl_index.py"
    found = {
        "ragvl, OCR of figures off": Side(sys.executable, ours, {"overrides": NO_FIGURES}),
        "ragvl, default": Side(sys.executable, ours, {"overrides": {}}),
    }
    if options.peer:
        job = {
            "model": options.peer_model,
            "batch": options.peer_batch,
            "chunk_tokens": options.peer_chunk_tokens,
        }
        found[BASELINE] = Side(options.peer, PEERS / "llama_index_index.py", job)
    return found


def report(results: dict[str, tuple[Any, Measured]], title: str) -> str:
    """One row a side."""
    rates = {name: result["pages"] / result["index_s"] for name, (result, _) in results.items()}
    header = (
        "side",
        "pages/s",
        f"ratio to {BASELINE}",
        "indexing",
        "whole process",
        "processor time",
        "first searchable",
        "peak memory",
        "vectors",
    )
    rows = [
        [
            name,
            f"{rates[name]:.2f}",
            ratio(rates[name], rates.get(BASELINE, 0.0)),
            seconds(result["index_s"]),
            seconds(measured.wall_s),
            seconds(measured.cpu_s),
            seconds(result["searchable_s"]),
            measured.peak,
            f"{result['units']:,}",
        ]
        for name, (result, measured) in results.items()
    ]
    return markdown(title, header, rows)


def copy_documents(paths: Sequence[Path], folder: Path) -> Path:
    """Put the chosen documents into a folder of their own; both sides read them from the page cache."""
    folder.mkdir()
    for path in paths:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def main() -> None:
    """Run the command line."""
    parser = data_parser(__doc__)
    parser.add_argument("--documents", choices=("text-layer", "all"), default="text-layer")
    parser.add_argument("--most", type=int, metavar="N", help="only the first N of these documents")
    parser.add_argument("--skip-default", action="store_true", help="leave out the row with OCR of figures")
    parser.add_argument(
        "--peer-batch", type=int, default=10, help="texts that the peer embeds at a time (default: its own)"
    )
    options = parse(parser)
    machines: dict[str, Any] = {"ragvl": (sys.executable, RAGVL_PACKAGES)}
    if options.peer:
        machines["peer"] = (options.peer, PEER_PACKAGES)
    print(describe_machine(**machines))
    results: dict[str, tuple[Any, Measured]] = {}
    with tempfile.TemporaryDirectory(prefix="ragvl-benchmark-") as scratch:
        chosen = choose(options.data, options.documents, options.most)
        documents = copy_documents(chosen, Path(scratch) / "documents")
        for name, side in sides(options).items():
            if options.skip_default and name == "ragvl, default":
                continue
            index = Path(scratch) / "index"
            job = {"documents": str(documents), "index": str(index), **side.job}
            results[name] = run_side(side.interpreter, side.script, job)
            shutil.rmtree(index)
            print(f"{name}: {results[name][0]['timings_s']} {results[name][0]['failed']}", file=sys.stderr)
    pages = max(result["pages"] for result, _ in results.values())
    print(report(results, f"Indexing {len(chosen)} documents ({options.documents}), {pages:,} pages"))


if __name__ == "__main__":
    main()
