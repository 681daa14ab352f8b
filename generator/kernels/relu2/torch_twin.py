"""Squared ReLU in plain PyTorch, for every device, with the optional step to float8."""

from __future__ import annotations

import torch

FP8_MAX = 448.0
"""The largest finite float8_e4m3fn."""


def relu2(
    x: torch.Tensor, *, scale: torch.Tensor | None = None, out: torch.Tensor | None = None
) -> torch.Tensor:
    """Return what the op of this name returns; see the package's function for the arguments."""
    squared = x.to(torch.promote_types(x.dtype, torch.float32)).clamp(min=0.0).square_()
    if scale is not None:
        squared = (squared / scale.float()).clamp_(max=FP8_MAX)
    if out is not None:
        return out.copy_(squared)
    return squared.to(x.dtype if scale is None else torch.float8_e4m3fn)
