"""One row times a weight matrix: each program streams a few rows of the weight past the whole input row."""

from __future__ import annotations

import triton
import triton.language as tl

from ragvl.generator.kernels.gemv.pieces import activated, finished, loaded, widened

__all__ = ["gemv_one_kernel"]


@triton.jit
def gemv_one_kernel(
    x_ptr: tl.tensor,
    gate_ptr: tl.tensor,
    norm_ptr: tl.tensor,
    weight_ptr: tl.tensor,
    scale_ptr: tl.tensor,
    residual_ptr: tl.tensor,
    out_ptr: tl.tensor,
    out_width: tl.tensor,
    weight_stride: tl.tensor,
    scale_step: tl.tensor,
    eps: tl.tensor,
    WIDTH: tl.constexpr,
    GROUP: tl.constexpr,
    NORM: tl.constexpr,
    GATED: tl.constexpr,
    SCALED: tl.constexpr,
    RELU2: tl.constexpr,
    ADD: tl.constexpr,
    DECODE: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
) -> None:
    """
    Compute BLOCK_N outputs from a row of WIDTH inputs in groups of GROUP (without a gated norm: one group).

    The norm's factor is one number for each group, so it is applied to the sum that it belongs to: the squares
    are added up while the weights stream by, and no load waits for them.
    """
    EVEN: tl.constexpr = GROUP % BLOCK_K == 0
    outputs = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    outputs_mask = outputs < out_width
    # Rows past the end read the last one again: cheaper than a predicate on every load.
    rows = tl.minimum(outputs, out_width - 1).to(tl.int64)
    row_ptrs = weight_ptr + rows[:, None] * weight_stride

    total = tl.zeros([BLOCK_N], tl.float32)
    for first in range(0, WIDTH, GROUP):
        partial = tl.zeros([BLOCK_N, BLOCK_K], tl.float32)
        squares = tl.zeros([BLOCK_K], tl.float32)
        for start in range(0, GROUP, BLOCK_K):
            inside = start + tl.arange(0, BLOCK_K)
            mask = inside < GROUP
            columns = first + inside
            stored = loaded(row_ptrs + columns[None, :], mask[None, :], EVEN)
            x = activated(x_ptr + columns, gate_ptr + columns, mask, GATED, EVEN)
            if NORM:
                squares += x * x
                x *= loaded(norm_ptr + columns, mask, EVEN).to(tl.float32)
            partial += widened(stored, DECODE) * x[None, :]
        product = tl.sum(partial, axis=1)
        if NORM:
            product *= 1.0 / tl.sqrt(tl.sum(squares, axis=0) / GROUP + eps)
        total += product

    total = finished(
        total, scale_ptr + outputs * scale_step, residual_ptr + outputs, outputs_mask, RELU2, SCALED, ADD
    )
    tl.store(out_ptr + outputs, total.to(out_ptr.dtype.element_ty), mask=outputs_mask)
