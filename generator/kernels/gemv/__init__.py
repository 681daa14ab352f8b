"""A few rows times a weight matrix, with the norm before it and the activation or addition after it in one launch."""

from __future__ import annotations

from typing import Literal

import torch

from ragvl.generator.kernels.choice import choose

__all__ = ["MAX_ROWS", "gemv"]

MAX_ROWS = 8
"""Rows that a call takes; more rows belong in an ordinary matrix product."""


def gemv(
    x: torch.Tensor,
    weight: torch.Tensor,
    *,
    scale: torch.Tensor | None = None,
    norm_weight: torch.Tensor | None = None,
    gate: torch.Tensor | None = None,
    group_size: int | None = None,
    eps: float = 1e-5,
    activation: Literal["none", "relu2"] = "none",
    residual: torch.Tensor | None = None,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    """
    Return `activation(norm(x) @ weight.T * scale) + residual` for at most 8 rows.

    The product is summed in float32 and in a fixed order: the same call gives the same bits. What follows it
    is float32 and rounded once. A norm is float32, too; whether its result is rounded to the dtype of `x`
    before the product depends on the implementation and on the number of rows.

    Args:
        x: (rows, in_features) bfloat16, float16 or float32, rows 1 to 8; the last axis is contiguous.
        weight: (out_features, in_features), dtype of `x`, or float8_e4m3fn with finite values; contiguous
            along its last axis.
        scale: float32, one number or (out_features,): what the stored weight has to be multiplied by. Any
            weight may have one; a float8 weight usually does.
        norm_weight: (in_features,): apply the root-mean-square norm to `x` first.
        gate: (rows, in_features), with `norm_weight`: the gated group norm instead.
        group_size: channels in a group of the gated norm; all of them when None.
        eps: of the norm.
        activation: "relu2" squares the positive part of the product.
        residual: (rows, out_features), added last; may be `out`.
        out: (rows, out_features), any float dtype: float32 for logits. A new tensor of the dtype of `x` when None.

    Returns:
        (rows, out_features), dtype of `x`, or `out`.

    Raises:
        ValueError: more than 8 rows, an unknown activation, or shapes that do not belong together.
    """
    _check(x, weight, scale, norm_weight, gate, group_size, activation, residual, out)
    run = choose("gemv", x.device, fits=_fits(x, weight, norm_weight, gate, residual, out))
    product: torch.Tensor = run(
        x,
        weight,
        scale=scale,
        norm_weight=norm_weight,
        gate=gate,
        group_size=group_size,
        eps=eps,
        activation=activation,
        residual=residual,
        out=out,
    )
    return product


def _fits(x: torch.Tensor, weight: torch.Tensor, *others: torch.Tensor | None) -> bool:
    """Whether the kernels cover a call: float16 rows could overflow, as they are normalised after the product."""
    tensors = (x, weight, *(tensor for tensor in others if tensor is not None))
    normed_in_half = x.dtype == torch.float16 and x.shape[0] > 1 and others[0] is not None
    is_known = x.dtype != torch.float64 and weight.dtype in (x.dtype, torch.float8_e4m3fn)
    return is_known and not normed_in_half and all(tensor.stride(-1) == 1 for tensor in tensors)


def _check(
    x: torch.Tensor,
    weight: torch.Tensor,
    scale: torch.Tensor | None,
    norm_weight: torch.Tensor | None,
    gate: torch.Tensor | None,
    group_size: int | None,
    activation: str,
    residual: torch.Tensor | None,
    out: torch.Tensor | None,
) -> None:
    if x.ndim != 2 or not 1 <= x.shape[0] <= MAX_ROWS:
        raise ValueError(
            f"gemv: x is {tuple(x.shape)}; it takes (rows, in_features) with 1 to {MAX_ROWS} rows"
        )
    rows, width = x.shape
    if weight.ndim != 2 or weight.shape[1] != width:
        raise ValueError(f"gemv: weight is {tuple(weight.shape)} and x is {tuple(x.shape)}")
    if activation not in ("none", "relu2"):
        raise ValueError(f"gemv: activation {activation!r} is not one of none, relu2")
    if gate is not None and norm_weight is None:
        raise ValueError("gemv: a gate needs norm_weight, too")
    if group_size is not None and (group_size < 1 or width % group_size):
        raise ValueError(f"gemv: group_size {group_size} does not divide {width} in_features")
    wanted = {
        "norm_weight": (norm_weight, (width,)),
        "gate": (gate, (rows, width)),
        "residual": (residual, (rows, weight.shape[0])),
        "out": (out, (rows, weight.shape[0])),
    }
    for name, (tensor, shape) in wanted.items():
        if tensor is not None and tensor.shape != shape:
            raise ValueError(f"gemv: {name} is {tuple(tensor.shape)} and has to be {shape}")
    if scale is not None and scale.numel() != 1 and scale.shape != (weight.shape[0],):
        raise ValueError(f"gemv: scale is {tuple(scale.shape)}; it is one number or ({weight.shape[0]},)")
