"""The thin matrix product in float64: the truth that the other two forms are compared with."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.gated_group_rmsnorm.reference import gated_group_rmsnorm
from ragvl.generator.kernels.residual_rmsnorm.reference import residual_rmsnorm


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
) -> torch.Tensor:
    """Return the op's result, (rows, out_features) float64, with no rounding on the way."""
    wide = x.double()
    if gate is not None and norm_weight is not None:
        size = x.shape[1] if group_size is None else group_size
        wide = gated_group_rmsnorm(x, gate, norm_weight, group_size=size, eps=eps)
    elif norm_weight is not None:
        wide = residual_rmsnorm(x, None, norm_weight, eps=eps)[0]
    product = wide @ weight.double().T
    if scale is not None:
        product = product * scale.double()
    if activation == "relu2":
        product = product.clamp(min=0.0).square()
    return product if residual is None else product + residual.double()
