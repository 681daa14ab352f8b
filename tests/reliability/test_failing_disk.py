"""The short forms of `fail_writes.py`."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(("faults", "step"), [("calls", "7"), ("size", "7"), ("space", "9")])
def test_a_failed_write_is_told_and_changes_nothing(run_script: Any, faults: str, step: str) -> None:
    """Single calls, a limit on sizes, a full disk: an error that names the path, and the index as it was."""
    figures = run_script("fail_writes.py", faults, "--step", step)
    assert figures["failures"] == 0
    for work in ("create", "add", "compact"):
        assert figures[f"{work}: raised"] > 1
        assert figures[f"{work}: done"] >= 1


def test_a_failed_read_is_told(run_script: Any) -> None:
    """Each read of a search in turn: an error that names the index, or the right results."""
    figures = run_script("fail_writes.py", "reads")
    assert figures["failures"] == 0
    assert figures["search: IndexDamagedError"] > 20
