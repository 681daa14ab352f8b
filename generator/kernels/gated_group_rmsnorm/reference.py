"""The gated group norm in float64: the truth that the other two forms are compared with."""

from __future__ import annotations

import torch


def gated_group_rmsnorm(
    y: torch.Tensor, gate: torch.Tensor, weight: torch.Tensor, *, group_size: int, eps: float = 1e-5
) -> torch.Tensor:
    """
    Return `y * silu(gate)`, root-mean-square normalised within each group of channels, times `weight`.

    Args:
        y: (..., channels), any float dtype.
        gate: as `y`.
        weight: (channels,).
        group_size: channels in a group; divides the number of channels.
        eps: added to the mean square.

    Returns:
        (..., channels) float64.
    """
    gate64 = gate.double()
    gated = y.double() * gate64 * torch.sigmoid(gate64)
    groups = gated.reshape(*y.shape[:-1], -1, group_size)
    scale = torch.rsqrt(groups.square().mean(-1, keepdim=True) + eps)
    normed: torch.Tensor = (groups * scale).reshape(y.shape)
    return normed * weight.double()
