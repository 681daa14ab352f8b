"""Residual add and root-mean-square norm in plain PyTorch, for every device."""

from __future__ import annotations

import torch


def residual_rmsnorm(
    x: torch.Tensor,
    residual: torch.Tensor | None,
    weight: torch.Tensor,
    *,
    eps: float = 1e-5,
    out: torch.Tensor | None = None,
    residual_out: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what the op of this name returns; see the package's function for the arguments."""
    kind = torch.promote_types(x.dtype, torch.float32)
    total = x if residual is None else (x.to(kind) + residual.to(kind)).to(x.dtype)
    if residual_out is not None:
        total = residual_out.copy_(total)
    wide = total.to(kind)
    normed = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps) * weight.to(kind)
    if out is None:
        return normed.to(x.dtype), total
    return out.copy_(normed), total
