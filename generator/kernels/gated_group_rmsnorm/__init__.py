"""A gated root-mean-square norm over groups of channels, as a Mamba-2 layer uses before its output projection."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.blocks import are_rows
from ragvl.generator.kernels.choice import choose

__all__ = ["gated_group_rmsnorm"]


def gated_group_rmsnorm(
    y: torch.Tensor,
    gate: torch.Tensor,
    weight: torch.Tensor,
    *,
    group_size: int,
    eps: float = 1e-5,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    """
    Return `y * silu(gate)`, normalised within each group of channels, times `weight`.

    The gate comes first, the norm second (`norm_before_gate=False` elsewhere). Everything is computed in
    float32 and rounded once.

    Args:
        y: (..., channels) bfloat16, float16 or float32; its last axis is contiguous, its rows may be strided.
        gate: (..., channels), dtype of `y`; a slice of the input projection's buffer is read in place.
        weight: (channels,), any float dtype.
        group_size: channels in a group; divides the number of channels.
        eps: added to the mean square.
        out: where the result goes; may be `y` itself. A new tensor when None.

    Returns:
        (..., channels), dtype of `y`, or `out`.

    Raises:
        ValueError: shapes that do not belong together.
    """
    channels = y.shape[-1]
    if gate.shape != y.shape or weight.shape != (channels,) or (out is not None and out.shape != y.shape):
        raise ValueError(
            f"gated_group_rmsnorm: y {tuple(y.shape)}, gate {tuple(gate.shape)}, weight {tuple(weight.shape)}: "
            "y, gate and out have one shape and weight has its last axis"
        )
    if group_size < 1 or channels % group_size:
        raise ValueError(f"gated_group_rmsnorm: group_size {group_size} does not divide {channels} channels")
    run = choose("gated_group_rmsnorm", y.device, fits=are_rows(y, gate, weight, out))
    normed: torch.Tensor = run(y, gate, weight, group_size=group_size, eps=eps, out=out)
    return normed
