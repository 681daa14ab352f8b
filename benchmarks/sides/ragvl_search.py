"""Ask ragvl questions under several settings and note the pages found; run by benchmarks/retrieval.py."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform

import ragvl


def search(job: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """
    Ask every question twice under each of `settings`: of all documents, and of its own.

    Returns:
        By name of the settings, one entry a question: `all` and `own`, pages as (file name, number), best first.
    """
    found = {}
    for name, retrieval in job["settings"].items():
        with ragvl.open(job["index"], overrides={"retrieval": retrieval}) as library:
            found[name] = [
                {
                    "all": _pages(library.search(question["text"], k=job["k"])),
                    "own": _pages(
                        library.search(question["text"], k=job["k"], where={"path": question["document"]})
                    ),
                }
                for question in job["questions"]
            ]
    return found


def _pages(hits: list[ragvl.Hit]) -> list[tuple[str, int]]:
    return [(PurePosixPath(hit.page.document.path).name, hit.page.number) for hit in hits]


if __name__ == "__main__":
    perform(search)
