"""The short form of `flip_bits.py`."""

from __future__ import annotations

from typing import Any


def test_every_flipped_bit_is_named_and_none_is_served(run_script: Any) -> None:
    """In the database, the segments and the page images."""
    figures = run_script("flip_bits.py", "--flips", "60")
    assert (figures["named by verify"], figures["failures"]) == (60, 0)
