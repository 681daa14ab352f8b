"""One program for one head of one sequence: chunks in order, the state never leaves the chip."""

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

__all__ = ["ssd_fused_kernel"]


@triton.jit
def ssd_fused_kernel(  # noqa: PLR0915 (a kernel cannot be cut at its loop)
    x_ptr: tl.tensor,
    dt_ptr: tl.tensor,
    a_ptr: tl.tensor,
    b_ptr: tl.tensor,
    c_ptr: tl.tensor,
    d_ptr: tl.tensor,
    bias_ptr: tl.tensor,
    y_ptr: tl.tensor,
    initial_ptr: tl.tensor,
    final_ptr: tl.tensor,
    taken_ptr: tl.tensor,
    bounds_ptr: tl.tensor,
    stops_ptr: tl.tensor,
    length: tl.tensor,
    segments: tl.tensor,
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
    initial_row: tl.tensor,
    initial_head: tl.tensor,
    final_row: tl.tensor,
    final_head: tl.tensor,
    least: tl.tensor,
    most: tl.tensor,
    HAS_D: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    HAS_INITIAL: tl.constexpr,
    PACKED: tl.constexpr,
    TAKES: tl.constexpr,
    HEADS: tl.constexpr,
    SHARE: tl.constexpr,
    STATE: tl.constexpr,
    MAIN: tl.constexpr,
    REST: tl.constexpr,
    CHUNK: tl.constexpr,
    DOT: tl.constexpr,
) -> None:
    """
    Walk head `program_id(0)` of sequence `program_id(1)`.

    A head is MAIN + REST wide, of which REST may be 0. With TAKES the sequence is walked in segments, and the state
    at the end of each but the last is stored. PACKED: the sequences are in one row, between bounds.
    """
    head = tl.program_id(0)
    sequence = tl.program_id(1).to(tl.int64)
    group = head // SHARE
    row = sequence
    first = 0
    if PACKED:
        row = sequence * 0
        first = tl.load(bounds_ptr + sequence).to(tl.int32)
        length = tl.load(bounds_ptr + sequence + 1).to(tl.int32)
    x_ptr += row * x_row + head * x_head
    y_ptr += row * y_row + head * y_head
    dt_ptr += row * dt_row + head
    b_ptr += row * b_row + group * b_group
    c_ptr += row * c_row + group * c_group
    final_ptr += sequence * final_row + head * final_head
    taken_ptr += (sequence * (segments - 1) * HEADS + head) * (MAIN + REST) * STATE

    token = tl.arange(0, CHUNK)
    column = tl.arange(0, STATE)
    main = tl.arange(0, MAIN)
    rest = MAIN + tl.arange(0, REST if REST > 0 else MAIN)
    main_place = main[None, :] * STATE + column[:, None]
    rest_place = rest[None, :] * STATE + column[:, None]
    rate = rate_of(a_ptr, head)
    bias = number_of(bias_ptr, head, HAS_BIAS)
    skip = number_of(d_ptr, head, HAS_D)
    main_state = tl.zeros([STATE, MAIN], tl.float32)
    if REST > 0:
        rest_state = tl.zeros([STATE, REST], tl.float32)
    if HAS_INITIAL:
        initial_ptr += sequence * initial_row + head * initial_head
        main_state = tl.load(initial_ptr + main_place).to(tl.float32)
        if REST > 0:
            rest_state = tl.load(initial_ptr + rest_place).to(tl.float32)

    for segment in range(segments):
        stop = length
        if TAKES:
            stop = tl.load(stops_ptr + segment)
        for start in range(first, stop, CHUNK):
            base = tl.cast(start, tl.int64)
            live = token < stop - start
            steps_at = base * dt_token + token * dt_token
            step, total, whole = decays_of(dt_ptr, steps_at, live, rate, bias, least, most)
            B = tile_of(b_ptr + base * b_token, b_token, token, column, live, DOT)
            C = tile_of(c_ptr + base * c_token, c_token, token, column, live, DOT)
            mixing = mixing_of(B, C, step, total, token, DOT)
            since_start = tl.exp2(total)[:, None]
            until_end = (step * tl.exp2(whole - total))[:, None]
            across = tl.exp2(whole)
            x_at, y_at = x_ptr + base * x_token, y_ptr + base * y_token

            x = tile_of(x_at, x_token, token, main, live, DOT)
            write_outputs(y_at, y_token, token, main, live, x, C, mixing, main_state, since_start, skip, DOT)
            main_state = gathered(B, x, until_end, main_state * across, DOT)
            if REST > 0:
                x = tile_of(x_at, x_token, token, rest, live, DOT)
                write_outputs(
                    y_at, y_token, token, rest, live, x, C, mixing, rest_state, since_start, skip, DOT
                )
                rest_state = gathered(B, x, until_end, rest_state * across, DOT)
        if TAKES and segment < segments - 1:
            place = taken_ptr + segment * HEADS * (MAIN + REST) * STATE
            tl.store(place + main_place, main_state)
            if REST > 0:
                tl.store(place + rest_place, rest_state)
        first = stop

    tl.store(final_ptr + main_place, main_state.to(final_ptr.dtype.element_ty))
    if REST > 0:
        tl.store(final_ptr + rest_place, rest_state.to(final_ptr.dtype.element_ty))
