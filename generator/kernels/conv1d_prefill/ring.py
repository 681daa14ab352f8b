"""The last inputs of a causal convolution, kept by position."""

from __future__ import annotations

import torch

__all__ = ["WIDTH", "ring_after"]

WIDTH = 4
"""Inputs that an output depends on, and slots of the ring."""


def ring_after(
    xBC: torch.Tensor, *, count: int | None = None, start: int = 0, before: torch.Tensor | None = None
) -> torch.Tensor:
    """
    Return the ring after some tokens: the input of position t is in slot `t % 4`.

    Args:
        xBC: (batch, length, channels): the inputs.
        count: of them to take in; all when None. With the states of `ssd_prefill(snapshot_at=...)` this makes the
            cache of a prefix.
        start: position of the first input.
        before: (batch, channels, 4): the ring before the first input; None for zeros.

    Returns:
        (batch, channels, 4), dtype of `before`, or of `xBC`. A new tensor.
    """
    batch, length, channels = xBC.shape
    end = length if count is None else count
    ring = xBC.new_zeros(batch, channels, WIDTH) if before is None else before.clone()
    for index in range(max(0, end - WIDTH), end):
        ring[:, :, (start + index) % WIDTH] = xBC[:, index]
    return ring
