"""Arithmetic that several state-space kernels share."""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["silu", "step_of"]


@triton.jit
def silu(value: tl.tensor) -> tl.tensor:
    """Return `value * sigmoid(value)`."""
    return value / (1.0 + tl.exp(-value))


@triton.jit
def step_of(raw: tl.tensor, least: tl.tensor, most: tl.tensor) -> tl.tensor:
    """Return softplus within limits. For small exponentials a series: `log(1 + e)` would lose their digits."""
    e = tl.exp(tl.minimum(raw, 20.0))
    small = tl.minimum(e, 0.015625)
    series = small * (1.0 - small * (1.0 / 2 - small * (1.0 / 3 - small * (1.0 / 4 - small * (1.0 / 5)))))
    step = tl.where(raw > 20.0, raw, tl.where(e < 0.015625, series, tl.log(1.0 + e)))
    return tl.minimum(tl.maximum(step, least), most)
