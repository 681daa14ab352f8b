"""How the thin product is cut on each architecture: a table, instead of a search when the program runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ragvl.generator.kernels.blocks import power_of_two

__all__ = ["FEW", "ONE", "ONE_FP8", "Few", "One", "part_of"]


@dataclass(frozen=True)
class One:
    """Cut of one row's product: outputs and inputs of a block, warps of a program."""

    block_n: int
    block_k: int
    num_warps: int


@dataclass(frozen=True)
class Few:
    """Cut of several rows' product, and how many programs it takes to fill the GPU."""

    block_n: int
    block_k: int
    num_warps: int
    num_stages: int
    programs: int


ONE: Mapping[int, One] = {80: One(8, 512, 4)}
"""Architecture to the cut for weights of 16 bits and more."""

ONE_FP8: Mapping[int, One] = {80: One(8, 512, 4), 89: One(8, 512, 4)}
"""Architecture to the cut for float8 weights."""

FEW: Mapping[int, Few] = {
    80: Few(64, 128, 4, 3, 216),
    86: Few(64, 128, 4, 3, 164),
    89: Few(64, 128, 4, 3, 256),
    90: Few(64, 128, 4, 3, 264),
    100: Few(64, 128, 4, 3, 296),
    120: Few(64, 128, 4, 3, 340),
}
"""Architecture to the cut for two to eight rows; about two programs for each multiprocessor of its largest part."""

_MOST_PARTS = 8


def part_of(few: Few, width: int, out_width: int, step: int) -> int:
    """
    Return how many inputs one program sums: all of them where the outputs alone fill the GPU.

    Args:
        few: the cut.
        width: inputs.
        out_width: outputs.
        step: what a part is a multiple of: a group of the gated norm, or a block of inputs.
    """
    blocks = -(-out_width // few.block_n)
    wanted = power_of_two(-(-few.programs // blocks))
    parts = min(_MOST_PARTS, wanted, -(-width // step))
    part = -(-width // parts)
    return min(width, -(-part // step) * step)
