"""The convolution in float64, one token after the other: the truth that the other forms are compared with."""

from __future__ import annotations

from itertools import pairwise

import torch

__all__ = ["conv1d_prefill"]


def conv1d_prefill(
    xBC: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor | None,
    *,
    initial_state: torch.Tensor | None = None,
    activation: str | None = "silu",
    start: int = 0,
    cu_seqlens: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return y and the final ring, both float64; see the package's function for the arguments."""
    batch, length, channels = xBC.shape
    bounds = [0, length] if cu_seqlens is None else cu_seqlens.tolist()
    y = torch.empty(batch, length, channels, dtype=torch.float64)
    rings = []
    for index, (first, last) in enumerate(pairwise(bounds)):
        ring = torch.zeros(batch, channels, 4, dtype=torch.float64)
        if initial_state is not None:
            ring = (
                (initial_state if cu_seqlens is None else initial_state[index : index + 1]).double().clone()
            )
        for t in range(first, last):
            position = start + t - first
            ring[:, :, position % 4] = xBC[:, t].double()
            taps = [ring[:, :, (position - 3 + tap) % 4] * w[:, tap].double() for tap in range(4)]
            total = sum(taps, torch.zeros(channels) if b is None else b.double())
            y[:, t] = total * torch.sigmoid(total) if activation else total
        rings.append(ring)
    return y, torch.cat(rings)
