"""What the kernels of the thin product share: exact widening of weights, masked loads, and what follows the sum."""

from __future__ import annotations

import triton
import triton.language as tl

from ragvl.generator.kernels.pieces import silu

__all__ = ["activated", "finished", "loaded", "widened"]


@triton.jit
def widened(stored: tl.tensor, DECODE: tl.constexpr) -> tl.tensor:
    """
    Return loaded weights as float32, exactly.

    DECODE: the elements are the bytes of finite float8_e4m3fn, on a GPU that has no instruction for them. Its
    exponent and mantissa, moved to the place of float16's, read as the value times 2 ** -8.
    """
    if DECODE:
        bits = stored.to(tl.int16)
        half = ((bits & 0x80) << 8) | ((bits & 0x7F) << 7)
        return half.to(tl.float16, bitcast=True).to(tl.float32) * 256.0
    return stored.to(tl.float32)


@triton.jit
def loaded(pointers: tl.tensor, mask: tl.tensor, EVEN: tl.constexpr) -> tl.tensor:
    """Load where the mask is set, zero elsewhere; EVEN: it is set everywhere, and loads need no predicate."""
    if EVEN:
        return tl.load(pointers)
    return tl.load(pointers, mask=mask, other=0.0)


@triton.jit
def activated(
    x_ptrs: tl.tensor, gate_ptrs: tl.tensor, mask: tl.tensor, GATED: tl.constexpr, EVEN: tl.constexpr
) -> tl.tensor:
    """Return inputs as float32, times the SiLU of their gate when there is one."""
    x = loaded(x_ptrs, mask, EVEN).to(tl.float32)
    if GATED:
        gate = loaded(gate_ptrs, mask, EVEN).to(tl.float32)
        x *= silu(gate)
    return x


@triton.jit
def finished(
    total: tl.tensor,
    scale_ptrs: tl.tensor,
    residual_ptrs: tl.tensor,
    mask: tl.tensor,
    RELU2: tl.constexpr,
    SCALED: tl.constexpr,
    ADD: tl.constexpr,
) -> tl.tensor:
    """Scale, activate and add to a float32 sum."""
    if SCALED:
        total = total * tl.load(scale_ptrs, mask=mask, other=0.0).to(tl.float32)
    if RELU2:
        total = tl.where(total < 0.0, 0.0, total)
        total = total * total
    if ADD:
        total = total + tl.load(residual_ptrs, mask=mask, other=0.0).to(tl.float32)
    return total
