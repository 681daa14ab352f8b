"""
The convolution in plain PyTorch, for every device: four shifted multiply-adds and the activation in place.

On a CPU it goes a few tokens at a time, so that inputs and sums stay in the second-level cache over all five passes.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch.nn import functional

from ragvl.generator.kernels.conv1d_prefill.ring import WIDTH, ring_after

__all__ = ["conv1d_prefill"]

_HISTORY = WIDTH - 1
_CACHE_FLOATS = 1 << 17
"""Inputs that a block of tokens may hold on a CPU: 512 KiB of float32."""


def conv1d_prefill(
    xBC: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor | None,
    *,
    initial_state: torch.Tensor | None = None,
    final_state_out: torch.Tensor | None = None,
    activation: str | None = "silu",
    start: int = 0,
    cu_seqlens: torch.Tensor | None = None,
    out: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return y and the ring after the last token; see the package's function for the arguments."""
    batch, length, channels = xBC.shape
    precise = torch.float64 if xBC.dtype == torch.float64 else torch.float32
    weights = w.t().to(precise).contiguous()
    bias = weights.new_zeros(channels) if b is None else b.to(precise)
    bounds = [0, length] if cu_seqlens is None else cu_seqlens.tolist()
    y = torch.empty(xBC.shape, dtype=xBC.dtype, device=xBC.device) if out is None else out
    places = [(row, first, last) for row in range(batch) for first, last in pairwise(bounds)]
    final = final_state_out
    if final is None:
        final = torch.empty((len(places), channels, WIDTH), dtype=xBC.dtype, device=xBC.device)
    for index, (row, first, last) in enumerate(places):
        inputs, outputs = xBC[row, first:last], y[row, first:last]
        before = None if initial_state is None else initial_state[index : index + 1]
        _convolve(_history(inputs, before, start), inputs, outputs, weights, bias, activation is not None)
        final[index : index + 1] = ring_after(xBC[row : row + 1, first:last], start=start, before=before)
    return y, final


def _history(inputs: torch.Tensor, before: torch.Tensor | None, start: int) -> torch.Tensor:
    """Return the three inputs before the first, (3, channels), the oldest first."""
    if before is None:
        return inputs.new_zeros(_HISTORY, inputs.shape[1])
    slots = [(start - _HISTORY + tap) % WIDTH for tap in range(_HISTORY)]
    return before[0, :, slots].t()


def _convolve(
    history: torch.Tensor,
    inputs: torch.Tensor,
    outputs: torch.Tensor,
    weights: torch.Tensor,
    bias: torch.Tensor,
    silu: bool,
) -> None:
    length, channels = inputs.shape
    room = max(WIDTH, _CACHE_FLOATS // max(1, channels)) if inputs.device.type == "cpu" else max(1, length)
    rounds = outputs.dtype != weights.dtype
    sums = weights.new_empty(min(room, length), channels) if rounds else outputs
    for first in range(0, length, room):
        last = min(length, first + room)
        size = last - first
        if first == 0:
            window = torch.cat([history.to(inputs.dtype), inputs[:last]])
        else:
            window = inputs[first - _HISTORY : last]
        window = window.to(weights.dtype)
        total = sums[:size] if rounds else sums[first:last]
        torch.addcmul(bias, window[:size], weights[0], out=total)
        for tap in range(1, WIDTH):
            total.addcmul_(window[tap : tap + size], weights[tap])
        if silu:
            functional.silu(total, inplace=True)
        if rounds:
            outputs[first:last] = total
