"""
Three kernels in a row, a program for one chunk of one head in the first and the last of them.

1. What each chunk leaves in the state on its own.
2. The states in order: each chunk's place in memory then holds the state before it.
3. The outputs.

Many small programs and no long walk: for a device with many more multiprocessors than the model has heads. The states
pass through memory four times, which the fused kernel avoids.
"""

from __future__ import annotations

import triton
import triton.language as tl

from ragvl.generator.kernels.ssd_prefill.chunk import (
    decays_of,
    gathered,
    mixing_of,
    number_of,
    rate_of,
    tile_of,
    write_outputs,
)

__all__ = ["ssd_outputs_kernel", "ssd_pass_kernel", "ssd_sums_kernel"]


@triton.jit
def ssd_sums_kernel(
    x_ptr: tl.tensor,
    dt_ptr: tl.tensor,
    a_ptr: tl.tensor,
    b_ptr: tl.tensor,
    bias_ptr: tl.tensor,
    chunks_ptr: tl.tensor,
    states_ptr: tl.tensor,
    wholes_ptr: tl.tensor,
    x_row: tl.tensor,
    x_token: tl.tensor,
    x_head: tl.tensor,
    dt_row: tl.tensor,
    dt_token: tl.tensor,
    b_row: tl.tensor,
    b_token: tl.tensor,
    b_group: tl.tensor,
    least: tl.tensor,
    most: tl.tensor,
    HAS_BIAS: tl.constexpr,
    HEADS: tl.constexpr,
    SHARE: tl.constexpr,
    STATE: tl.constexpr,
    MAIN: tl.constexpr,
    REST: tl.constexpr,
    CHUNK: tl.constexpr,
    DOT: tl.constexpr,
) -> None:
    """Store what chunk `program_id(0)` leaves in the state of head `program_id(1)`, and its decay's logarithm."""
    chunk = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    row = tl.load(chunks_ptr + chunk * 3).to(tl.int64)
    start = tl.load(chunks_ptr + chunk * 3 + 1).to(tl.int64)
    stop = tl.load(chunks_ptr + chunk * 3 + 2)
    token = tl.arange(0, CHUNK)
    column = tl.arange(0, STATE)
    live = token < stop - start
    rate = rate_of(a_ptr, head)
    bias = number_of(bias_ptr, head, HAS_BIAS)
    steps_at = row * dt_row + head + start * dt_token + token * dt_token
    step, total, whole = decays_of(dt_ptr, steps_at, live, rate, bias, least, most)
    b_at = b_ptr + row * b_row + start * b_token + (head // SHARE) * b_group
    x_at = x_ptr + row * x_row + start * x_token + head * x_head
    B = tile_of(b_at, b_token, token, column, live, DOT)
    place = states_ptr + (chunk * HEADS + head) * (MAIN + REST) * STATE + column[:, None]
    tl.store(wholes_ptr + chunk * HEADS + head, whole)
    until_end = (step * tl.exp2(whole - total))[:, None]

    main = tl.arange(0, MAIN)
    x = tile_of(x_at, x_token, token, main, live, DOT)
    nothing = tl.zeros([STATE, MAIN], tl.float32)
    tl.store(place + main[None, :] * STATE, gathered(B, x, until_end, nothing, DOT))
    if REST > 0:
        rest = MAIN + tl.arange(0, REST)
        x = tile_of(x_at, x_token, token, rest, live, DOT)
        nothing = tl.zeros([STATE, REST], tl.float32)
        tl.store(place + rest[None, :] * STATE, gathered(B, x, until_end, nothing, DOT))


@triton.jit
def ssd_pass_kernel(
    states_ptr: tl.tensor,
    wholes_ptr: tl.tensor,
    firsts_ptr: tl.tensor,
    initial_ptr: tl.tensor,
    final_ptr: tl.tensor,
    initial_row: tl.tensor,
    initial_head: tl.tensor,
    final_row: tl.tensor,
    final_head: tl.tensor,
    HAS_INITIAL: tl.constexpr,
    HEADS: tl.constexpr,
    SIZE: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Carry block `program_id(0)` of the SIZE numbers of head `program_id(1)` through sequence `program_id(2)`."""
    head = tl.program_id(1)
    sequence = tl.program_id(2).to(tl.int64)
    inside = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = inside < SIZE
    state = tl.zeros([BLOCK], tl.float32)
    if HAS_INITIAL:
        before = initial_ptr + sequence * initial_row + head * initial_head + inside
        state = tl.load(before, mask=mask, other=0.0).to(tl.float32)
    for chunk in range(tl.load(firsts_ptr + sequence), tl.load(firsts_ptr + sequence + 1)):
        index = tl.cast(chunk, tl.int64) * HEADS + head
        place = states_ptr + index * SIZE + inside
        own = tl.load(place, mask=mask, other=0.0)
        tl.store(place, state, mask=mask)
        state = state * tl.exp2(tl.load(wholes_ptr + index)) + own
    after = final_ptr + sequence * final_row + head * final_head + inside
    tl.store(after, state.to(final_ptr.dtype.element_ty), mask=mask)


@triton.jit
def ssd_outputs_kernel(
    x_ptr: tl.tensor,
    dt_ptr: tl.tensor,
    a_ptr: tl.tensor,
    b_ptr: tl.tensor,
    c_ptr: tl.tensor,
    d_ptr: tl.tensor,
    bias_ptr: tl.tensor,
    chunks_ptr: tl.tensor,
    states_ptr: tl.tensor,
    y_ptr: tl.tensor,
    x_row: tl.tensor,
    x_token: tl.tensor,
    x_head: tl.tensor,
    dt_row: tl.tensor,
    dt_token: tl.tensor,
    b_row: tl.tensor,
    b_token: tl.tensor,
    b_group: tl.tensor,
    c_row: tl.tensor,
    c_token: tl.tensor,
    c_group: tl.tensor,
    y_row: tl.tensor,
    y_token: tl.tensor,
    y_head: tl.tensor,
    least: tl.tensor,
    most: tl.tensor,
    HAS_D: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    HEADS: tl.constexpr,
    SHARE: tl.constexpr,
    STATE: tl.constexpr,
    MAIN: tl.constexpr,
    REST: tl.constexpr,
    CHUNK: tl.constexpr,
    DOT: tl.constexpr,
) -> None:
    """Write the outputs of chunk `program_id(0)` of head `program_id(1)` from the state before it."""
    chunk = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    group = head // SHARE
    row = tl.load(chunks_ptr + chunk * 3).to(tl.int64)
    start = tl.load(chunks_ptr + chunk * 3 + 1).to(tl.int64)
    stop = tl.load(chunks_ptr + chunk * 3 + 2)
    token = tl.arange(0, CHUNK)
    column = tl.arange(0, STATE)
    live = token < stop - start
    rate = rate_of(a_ptr, head)
    bias = number_of(bias_ptr, head, HAS_BIAS)
    steps_at = row * dt_row + head + start * dt_token + token * dt_token
    step, total, _ = decays_of(dt_ptr, steps_at, live, rate, bias, least, most)
    B = tile_of(b_ptr + row * b_row + start * b_token + group * b_group, b_token, token, column, live, DOT)
    C = tile_of(c_ptr + row * c_row + start * c_token + group * c_group, c_token, token, column, live, DOT)
    mixing = mixing_of(B, C, step, total, token, DOT)
    x_at = x_ptr + row * x_row + start * x_token + head * x_head
    y_at = y_ptr + row * y_row + start * y_token + head * y_head
    place = states_ptr + (chunk * HEADS + head) * (MAIN + REST) * STATE + column[:, None]
    skip = number_of(d_ptr, head, HAS_D)
    since_start = tl.exp2(total)[:, None]

    main = tl.arange(0, MAIN)
    x = tile_of(x_at, x_token, token, main, live, DOT)
    state = tl.load(place + main[None, :] * STATE)
    write_outputs(y_at, y_token, token, main, live, x, C, mixing, state, since_start, skip, DOT)
    if REST > 0:
        rest = MAIN + tl.arange(0, REST)
        x = tile_of(x_at, x_token, token, rest, live, DOT)
        state = tl.load(place + rest[None, :] * STATE)
        write_outputs(y_at, y_token, token, rest, live, x, C, mixing, state, since_start, skip, DOT)
