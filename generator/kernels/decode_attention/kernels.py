"""Attention of one token over a cache: parts of the cache side by side, then their sum in a fixed order."""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["attend_part_kernel", "join_parts_kernel"]


@triton.jit
def _rows(
    cache_ptr: tl.tensor,
    new_ptr: tl.tensor,
    tokens: tl.tensor,
    columns: tl.tensor,
    token_stride: tl.tensor,
    stored: tl.tensor,
    WIDTH: tl.constexpr,
    APPEND: tl.constexpr,
    WIDEN: tl.constexpr,
) -> tl.tensor:
    """Load a block of keys or values; rows from `stored` on are the new token's (APPEND) or zero."""
    inside = (tokens < stored)[:, None] & (columns < WIDTH)[None, :]
    pointers = cache_ptr + tokens.to(tl.int64)[:, None] * token_stride + columns[None, :]
    block = tl.load(pointers, mask=inside, other=0.0)
    if APPEND:
        new = tl.load(new_ptr + columns, mask=columns < WIDTH, other=0.0)
        block = tl.where((tokens == stored)[:, None], new[None, :], block)
    return block.to(tl.float32) if WIDEN else block


@triton.jit
def attend_part_kernel(
    q_ptr: tl.tensor,
    k_ptr: tl.tensor,
    v_ptr: tl.tensor,
    length_ptr: tl.tensor,
    key_ptr: tl.tensor,
    value_ptr: tl.tensor,
    sums_ptr: tl.tensor,
    weights_ptr: tl.tensor,
    capacity: tl.tensor,
    q_batch: tl.tensor,
    q_head: tl.tensor,
    k_batch: tl.tensor,
    k_head: tl.tensor,
    k_token: tl.tensor,
    v_batch: tl.tensor,
    v_head: tl.tensor,
    v_token: tl.tensor,
    key_batch: tl.tensor,
    key_head: tl.tensor,
    value_batch: tl.tensor,
    value_head: tl.tensor,
    scale_log2: tl.tensor,
    PARTS: tl.constexpr,
    SHARING: tl.constexpr,
    WIDTH: tl.constexpr,
    APPEND: tl.constexpr,
    WIDEN: tl.constexpr,
    LANES: tl.constexpr,
    BLOCK_T: tl.constexpr,
    BLOCK_D: tl.constexpr,
) -> None:
    """
    Attend from the query heads of one key-value head to one part of the tokens.

    Program ids: part, key-value head, batch. The part's bounds follow from the length on the device. Writes the
    weighted mean of the values, and the logarithm (base 2) of the sum of weights: minus infinity for no tokens.
    """
    part, head, batch = tl.program_id(0), tl.program_id(1), tl.program_id(2).to(tl.int64)
    kv_heads = tl.num_programs(1)
    stored = tl.minimum(tl.load(length_ptr + batch), capacity)
    total = stored
    if APPEND:
        total = tl.minimum(stored + 1, capacity)
    blocks = tl.cdiv(tl.cdiv(total, BLOCK_T), PARTS)
    first = part * blocks * BLOCK_T
    last = tl.minimum(first + blocks * BLOCK_T, total)

    columns = tl.arange(0, BLOCK_D)
    columns_mask = columns < WIDTH
    lanes = tl.arange(0, LANES)
    heads = head * SHARING + tl.minimum(lanes, SHARING - 1)
    q = tl.load(
        q_ptr + batch * q_batch + heads[:, None] * q_head + columns[None, :],
        mask=columns_mask[None, :],
        other=0.0,
    )
    if WIDEN:
        q = q.to(tl.float32)
    k_ptr += batch * k_batch + head * k_head
    v_ptr += batch * v_batch + head * v_head
    key_ptr += batch * key_batch + head * key_head
    value_ptr += batch * value_batch + head * value_head
    if APPEND:  # noqa: SIM102 - this one is decided when compiling, the next one is not
        if (stored >= first) & (stored < last):
            key = tl.load(key_ptr + columns, mask=columns_mask)
            value = tl.load(value_ptr + columns, mask=columns_mask)
            tl.store(k_ptr + stored.to(tl.int64) * k_token + columns, key, mask=columns_mask)
            tl.store(v_ptr + stored.to(tl.int64) * v_token + columns, value, mask=columns_mask)

    largest = tl.full([LANES], float("-inf"), tl.float32)
    weight = tl.zeros([LANES], tl.float32)
    attended = tl.zeros([LANES, BLOCK_D], tl.float32)
    for start in range(first, last, BLOCK_T):
        tokens = start + tl.arange(0, BLOCK_T)
        keys = _rows(k_ptr, key_ptr, tokens, columns, k_token, stored, WIDTH, APPEND, WIDEN)
        scores = tl.dot(q, tl.trans(keys), input_precision="ieee") * scale_log2
        scores = tl.where((tokens < last)[None, :], scores, float("-inf"))
        highest = tl.maximum(largest, tl.max(scores, axis=1))
        shrink = tl.exp2(largest - highest)
        shares = tl.exp2(scores - highest[:, None])
        values = _rows(v_ptr, value_ptr, tokens, columns, v_token, stored, WIDTH, APPEND, WIDEN)
        weight = weight * shrink + tl.sum(shares, axis=1)
        attended = tl.dot(shares.to(values.dtype), values, attended * shrink[:, None], input_precision="ieee")
        largest = highest

    row = ((batch * kv_heads + head) * SHARING + lanes) * PARTS + part
    real = lanes < SHARING
    logs = largest + tl.log2(tl.where(weight > 0.0, weight, 1.0))  # minus infinity where nothing was added
    tl.store(weights_ptr + row, logs, mask=real)
    if last > first:
        tl.store(
            sums_ptr + row[:, None] * WIDTH + columns[None, :],
            attended / weight[:, None],
            mask=real[:, None] & columns_mask[None, :],
        )


@triton.jit
def join_parts_kernel(
    sums_ptr: tl.tensor,
    weights_ptr: tl.tensor,
    out_ptr: tl.tensor,
    out_batch: tl.tensor,
    out_head: tl.tensor,
    PARTS: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_D: tl.constexpr,
) -> None:
    """Join the parts of query head `program_id(0)` of batch `program_id(1)`; zero where none has a token."""
    head, batch = tl.program_id(0), tl.program_id(1).to(tl.int64)
    row = (batch * tl.num_programs(0) + head) * PARTS
    parts, columns = tl.arange(0, BLOCK_P), tl.arange(0, BLOCK_D)
    logs = tl.load(weights_ptr + row + parts, mask=parts < PARTS, other=float("-inf"))
    filled = logs > float("-inf")
    largest = tl.max(tl.where(filled, logs, -3.0e38), axis=0)
    shares = tl.where(filled, tl.exp2(logs - largest), 0.0)
    sums = tl.load(
        sums_ptr + (row + parts)[:, None] * WIDTH + columns[None, :],
        mask=filled[:, None] & (columns < WIDTH)[None, :],
        other=0.0,
    )
    weight = tl.sum(shares, axis=0)
    joined = tl.sum(sums * shares[:, None], axis=0) / tl.where(weight > 0.0, weight, 1.0)
    pointers = out_ptr + batch * out_batch + head * out_head + columns
    tl.store(pointers, joined.to(out_ptr.dtype.element_ty), mask=columns < WIDTH)
