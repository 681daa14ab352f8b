"""What the kernels do with one chunk of one head; shapes are (tokens, tokens), (tokens, STATE), (STATE, width)."""

from __future__ import annotations

import triton
import triton.language as tl

from ragvl.generator.kernels.pieces import step_of

__all__ = ["decays_of", "gathered", "mixing_of", "number_of", "rate_of", "tile_of", "write_outputs"]


@triton.jit
def decays_of(
    dt_ptr: tl.tensor,
    offsets: tl.tensor,
    live: tl.tensor,
    rate: tl.tensor,
    bias: tl.tensor,
    least: tl.tensor,
    most: tl.tensor,
) -> tuple[tl.tensor, tl.tensor, tl.tensor]:
    """
    Return the steps, and base 2 logarithms of the decays: through each token, and over the chunk. No token, step 0.

    A decay below 2 ** -150 is 0 in float32: cut there, sums keep digits for the tokens that follow. The last sum is
    the least one, and not added up again: its difference from the last token's has to be 0.
    """
    dt = tl.load(dt_ptr + offsets, mask=live, other=0.0).to(tl.float32)
    step = tl.where(live, step_of(dt + bias, least, most), 0.0)
    total = tl.cumsum(tl.maximum(step * rate, -150.0), axis=0)
    return step, total, tl.min(total, axis=0)


@triton.jit
def number_of(pointer: tl.tensor, head: tl.tensor, EXISTS: tl.constexpr) -> tl.tensor:
    """Return a head's own number, 0 where there is none."""
    number = 0.0
    if EXISTS:
        number = tl.load(pointer + head).to(tl.float32)
    return number


@triton.jit
def rate_of(pointer: tl.tensor, head: tl.tensor) -> tl.tensor:
    """Return a head's A in base 2: decays are powers of 2."""
    return tl.load(pointer + head).to(tl.float32) * 1.4426950408889634


@triton.jit
def tile_of(
    pointer: tl.tensor,
    stride: tl.tensor,
    token: tl.tensor,
    column: tl.tensor,
    live: tl.tensor,
    DOT: tl.constexpr,
) -> tl.tensor:
    """Load rows of a chunk, zero where there is no token."""
    place = pointer + token[:, None] * stride + column[None, :]
    return tl.load(place, mask=live[:, None], other=0.0).to(DOT)


@triton.jit
def mixing_of(
    B: tl.tensor, C: tl.tensor, step: tl.tensor, total: tl.tensor, token: tl.tensor, DOT: tl.constexpr
) -> tl.tensor:
    """Return how much of each token's input (columns) is in each token's output (rows) by way of the state."""
    # masked before the exponential: above the diagonal it would overflow
    between = tl.where(token[:, None] >= token[None, :], total[:, None] - total[None, :], float("-inf"))
    return (tl.dot(C, tl.trans(B), input_precision="ieee") * tl.exp2(between) * step[None, :]).to(DOT)


@triton.jit
def write_outputs(
    pointer: tl.tensor,
    stride: tl.tensor,
    token: tl.tensor,
    column: tl.tensor,
    live: tl.tensor,
    x: tl.tensor,
    C: tl.tensor,
    mixing: tl.tensor,
    state: tl.tensor,
    since_start: tl.tensor,
    skip: tl.tensor,
    DOT: tl.constexpr,
) -> None:
    """Store what the tokens take from each other, from themselves and from the state before the chunk."""
    y = tl.dot(mixing, x, input_precision="ieee") + skip * x.to(tl.float32)
    y += tl.dot(C, state.to(DOT), input_precision="ieee") * since_start
    tl.store(
        pointer + token[:, None] * stride + column[None, :],
        y.to(pointer.dtype.element_ty),
        mask=live[:, None],
    )


@triton.jit
def gathered(
    B: tl.tensor, x: tl.tensor, until_end: tl.tensor, before: tl.tensor, DOT: tl.constexpr
) -> tl.tensor:
    """Return `before` plus what the chunk's tokens leave in the state at its end."""
    weighted = (x.to(tl.float32) * until_end).to(DOT)
    return tl.dot(tl.trans(B), weighted, acc=before, input_precision="ieee")
