"""The short form of `read_while_writing.py`."""

from __future__ import annotations

from typing import Any


def test_processes_see_whole_generations(run_script: Any) -> None:
    """Four readers beside a writer that commits, merges and compacts."""
    figures = run_script("read_while_writing.py", "--readers", "4", "--seconds", "6")
    assert (figures["readers"], figures["failures"]) == (4, 0)
    assert figures["found"] > 50
