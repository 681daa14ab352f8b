"""How tensors are cut for programs: rows of one stride, and blocks that are powers of two."""

from __future__ import annotations

from itertools import pairwise

import torch


def are_rows(*tensors: torch.Tensor | None) -> bool:
    """
    Tell whether kernels can read or write each tensor: contiguous rows that one stride leads through.

    float64 is left to the twins. None counts as yes.
    """
    return all(
        tensor is None or (tensor.dtype != torch.float64 and _one_stride(tensor)) for tensor in tensors
    )


def in_powers(size: int) -> tuple[int, int]:
    """
    Return two powers of two that cover `size` elements, the second 0 when the first is enough.

    1,280 is 1,024 + 256, 5,120 is 4,096 + 1,024: no lane is idle, where one block would idle 3 of 8.
    """
    main = 1 << (size.bit_length() - 1)
    rest = size - main
    return main, power_of_two(rest) if rest else 0


def power_of_two(size: int) -> int:
    """Return the smallest power of two that is not below `size`."""
    return 1 << (size - 1).bit_length()


def _one_stride(tensor: torch.Tensor) -> bool:
    if tensor.stride(-1) != 1:
        return False
    steps = [(size, stride) for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size != 1]
    outer = steps[:-1] if tensor.shape[-1] != 1 else steps
    return all(above == size * below for (_, above), (size, below) in pairwise(outer))
