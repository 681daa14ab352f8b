"""The short form of `churn_pages.py`."""

from __future__ import annotations

from typing import Any


def test_removed_pages_are_gone_and_take_no_space(run_script: Any) -> None:
    """A hundred documents removed and changed, all lanes asked for them, the size of a fresh index."""
    figures = run_script("churn_pages.py", "--operations", "100")
    assert (figures["deleted"], figures["updated"], figures["failures"]) == (100, 100, 0)
    assert figures["size to a fresh index"] < 1.5
