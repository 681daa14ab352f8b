"""The thin matrix product in plain PyTorch, for every device."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.gated_group_rmsnorm.torch_twin import gated_group_rmsnorm
from ragvl.generator.kernels.residual_rmsnorm.torch_twin import residual_rmsnorm


def gemv(
    x: torch.Tensor,
    weight: torch.Tensor,
    *,
    scale: torch.Tensor | None = None,
    norm_weight: torch.Tensor | None = None,
    gate: torch.Tensor | None = None,
    group_size: int | None = None,
    eps: float = 1e-5,
    activation: str = "none",
    residual: torch.Tensor | None = None,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return what the op of this name returns; see the package's function for the arguments."""
    row = x
    if gate is not None and norm_weight is not None:
        size = x.shape[1] if group_size is None else group_size
        row = gated_group_rmsnorm(x, gate, norm_weight, group_size=size, eps=eps)
    elif norm_weight is not None:
        row = residual_rmsnorm(x, None, norm_weight, eps=eps)[0]
    wide = torch.promote_types(x.dtype, torch.float32)
    product = torch.nn.functional.linear(row, weight.to(row.dtype)).to(wide)
    if scale is not None:
        product = product * scale.to(wide)
    if activation == "relu2":
        product = product.clamp(min=0.0).square()
    if residual is not None:
        product = product + residual.to(wide)
    return product.to(x.dtype) if out is None else out.copy_(product)
