"""Residual addition and root-mean-square norm in one pass."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.blocks import are_rows
from ragvl.generator.kernels.choice import choose

__all__ = ["residual_rmsnorm"]


def residual_rmsnorm(
    x: torch.Tensor,
    residual: torch.Tensor | None,
    weight: torch.Tensor,
    *,
    eps: float = 1e-5,
    out: torch.Tensor | None = None,
    residual_out: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Return the root-mean-square norm of `x + residual`, and the sum.

    The sum is rounded to the dtype of `x` before the norm reads it, so one call gives the same bits as an
    addition and a norm in turn; the norm itself is float32 with one rounding.

    Args:
        x: (..., width) bfloat16, float16 or float32; the last axis is contiguous, rows may be strided.
        residual: as `x`; None for the first layer, where there is nothing to add.
        weight: (width,), any float dtype.
        eps: added to the mean square.
        out: where the norm goes; may be `x`. A new tensor when None.
        residual_out: where the sum goes; may be `residual` or `x`. A new tensor when None, or `x` itself
            when `residual` is None, too.

    Returns:
        (normed, total), both (..., width) in the dtype of `x`.

    Raises:
        ValueError: shapes that do not belong together.
    """
    shapes = {"residual": residual, "out": out, "residual_out": residual_out}
    for name, tensor in shapes.items():
        if tensor is not None and tensor.shape != x.shape:
            raise ValueError(f"residual_rmsnorm: {name} is {tuple(tensor.shape)} and x is {tuple(x.shape)}")
    if weight.shape != x.shape[-1:]:
        raise ValueError(f"residual_rmsnorm: weight is {tuple(weight.shape)} and x is {tuple(x.shape)}")
    run = choose("residual_rmsnorm", x.device, fits=are_rows(x, weight, residual, out, residual_out))
    results: tuple[torch.Tensor, torch.Tensor] = run(
        x, residual, weight, eps=eps, out=out, residual_out=residual_out
    )
    return results
