"""The short form of `kill_indexing.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds worker processes through /proc")
def test_nothing_acknowledged_is_lost(run_script: Any) -> None:
    """After each kill the index opens, holds and finds what was committed, and no process is left."""
    figures = run_script("kill_indexing.py", "--kills", "20", "--documents", "36", "--seed", "3")
    assert (figures["kills"], figures["failures"]) == (20, 0)
    assert figures["acknowledged documents looked for"] > 50
