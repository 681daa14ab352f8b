"""How the scan is cut on each architecture: a table, instead of a search when the program runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FUSED", "OUTPUTS", "PASS_BLOCK", "SUMS", "Cut", "is_fused"]


@dataclass(frozen=True, slots=True)
class Cut:
    """Tokens in a chunk, warps of a program, and stages of the loop's loads."""

    chunk: int
    num_warps: int
    num_stages: int


FUSED: Mapping[int, Cut] = {80: Cut(64, 8, 2)}
"""Architecture to the cut of the fused kernel; one program fills a multiprocessor."""

SUMS: Mapping[int, Cut] = {80: Cut(64, 4, 1)}
OUTPUTS: Mapping[int, Cut] = {80: Cut(64, 4, 1), 120: Cut(64, 8, 1)}
"""Architecture to the cuts of the first and the last of the three kernels; their chunks are the same."""

PASS_BLOCK = 512
"""Numbers of a state that one program carries through a sequence."""


def is_fused(programs: int, multiprocessors: int) -> bool:
    """
    Choose between one long program for each head and sequence, and many short ones.

    The fused kernel moves a fifth of the bytes, so it may leave half of the multiprocessors idle before the three
    kernels win.
    """
    return 2 * programs >= multiprocessors
