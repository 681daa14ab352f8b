"""Residual add and root-mean-square norm in float64: the truth that the other two forms are compared with."""

from __future__ import annotations

import torch


def residual_rmsnorm(
    x: torch.Tensor, residual: torch.Tensor | None, weight: torch.Tensor, *, eps: float = 1e-5
) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Return the norm of `x + residual` and the sum itself.

    Args:
        x: (..., width), any float dtype.
        residual: as `x`, or None for no addition.
        weight: (width,).
        eps: added to the mean square.

    Returns:
        Two tensors (..., width) float64: normed, total. Nothing is rounded between the two.
    """
    total = x.double() if residual is None else x.double() + residual.double()
    scale = torch.rsqrt(total.square().mean(-1, keepdim=True) + eps)
    return total * scale * weight.double(), total
