"""Squared ReLU, optionally straight to float8."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.architecture import architecture
from ragvl.generator.kernels.blocks import are_rows
from ragvl.generator.kernels.choice import choose

__all__ = ["relu2"]

_FP8_ARCHITECTURE = 89
"""The first architecture whose instructions round to float8."""


def relu2(
    x: torch.Tensor, *, scale: torch.Tensor | None = None, out: torch.Tensor | None = None
) -> torch.Tensor:
    """
    Return `max(x, 0)` squared; with `scale`, quantised to float8 for a matrix product that takes it.

    Args:
        x: (..., width) bfloat16, float16 or float32; the last axis is contiguous, rows may be strided.
        scale: one float32 number on the device of `x`, the static activation scale: the result is
            `min(max(x, 0)**2 / scale, 448)` in float8_e4m3fn, to be multiplied by `scale` again later.
        out: where the result goes; may be `x` when there is no scale. A new tensor when None.

    Returns:
        (..., width), dtype of `x`, or float8_e4m3fn when a scale is given, or `out`.

    Raises:
        ValueError: `out` has another shape, or `scale` is not one number.
    """
    if out is not None and out.shape != x.shape:
        raise ValueError(f"relu2: out is {tuple(out.shape)} and x is {tuple(x.shape)}")
    if scale is not None and scale.numel() != 1:
        raise ValueError(f"relu2: scale is {tuple(scale.shape)}; one number for the whole tensor is needed")
    fits = are_rows(x, out) and (scale is None or architecture(x.device) >= _FP8_ARCHITECTURE)
    squared: torch.Tensor = choose("relu2", x.device, fits=fits)(x, scale=scale, out=out)
    return squared
