"""Two to eight rows times a weight matrix: tensor cores, with the sum cut in parts so that every core has work."""

from __future__ import annotations

import triton
import triton.language as tl

from ragvl.generator.kernels.gemv.pieces import activated, finished, loaded, widened

__all__ = ["ROWS", "gemv_few_kernel", "gemv_sum_kernel"]

ROWS = 16
"""Rows that a program computes: what a tensor core takes at least; the input's 2 to 8 are among them."""


@triton.jit
def gemv_few_kernel(
    x_ptr: tl.tensor,
    gate_ptr: tl.tensor,
    norm_ptr: tl.tensor,
    weight_ptr: tl.tensor,
    scale_ptr: tl.tensor,
    residual_ptr: tl.tensor,
    out_ptr: tl.tensor,
    squares_ptr: tl.tensor,
    rows: tl.tensor,
    out_width: tl.tensor,
    x_stride: tl.tensor,
    gate_stride: tl.tensor,
    weight_stride: tl.tensor,
    scale_step: tl.tensor,
    residual_stride: tl.tensor,
    out_stride: tl.tensor,
    eps: tl.tensor,
    WIDTH: tl.constexpr,
    PART: tl.constexpr,
    GROUP: tl.constexpr,
    NORM: tl.constexpr,
    GATED: tl.constexpr,
    SCALED: tl.constexpr,
    RELU2: tl.constexpr,
    ADD: tl.constexpr,
    DECODE: tl.constexpr,
    WIDEN: tl.constexpr,
    LANES: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
) -> None:
    """
    Compute BLOCK_N outputs of every row from PART of the WIDTH inputs; several parts are left to the sum.

    `out_ptr` is the result (one part) or the partial sums (parts, rows, outputs); `squares_ptr` holds the sum
    of squares of each part and row, when there are several and one norm over all.
    """
    SPLIT: tl.constexpr = PART < WIDTH
    SPAN: tl.constexpr = GROUP if GATED else PART
    EVEN: tl.constexpr = SPAN % BLOCK_K == 0 and WIDTH % PART == 0
    part = tl.program_id(1)
    outputs = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    weight_ptrs = weight_ptr + tl.minimum(outputs, out_width - 1).to(tl.int64)[:, None] * weight_stride
    lanes = tl.arange(0, LANES)
    safe = tl.minimum(lanes, rows - 1)
    x_ptrs = x_ptr + safe[:, None] * x_stride
    gate_ptrs = gate_ptr + safe[:, None] * gate_stride

    total = tl.zeros([BLOCK_N, LANES], tl.float32)
    squares = tl.zeros([LANES], tl.float32)
    for first in range(part * PART, tl.minimum(part * PART + PART, WIDTH), SPAN):
        product = tl.zeros([BLOCK_N, LANES], tl.float32)
        squares = tl.zeros([LANES], tl.float32)
        for start in range(0, SPAN, BLOCK_K):
            inside = start + tl.arange(0, BLOCK_K)
            columns = first + inside
            mask = ((inside < SPAN) & (columns < WIDTH))[None, :]
            stored = loaded(weight_ptrs + columns[None, :], mask, EVEN)
            x = activated(x_ptrs + columns[None, :], gate_ptrs + columns[None, :], mask, GATED, EVEN)
            if NORM:
                squares += tl.sum(x * x, axis=1)
                x *= loaded(norm_ptr + columns[None, :], mask, EVEN).to(tl.float32)
            if WIDEN:
                wide = widened(stored, DECODE)
                product = tl.dot(wide, tl.trans(x), product, input_precision="ieee")
            else:
                operand = widened(stored, DECODE) if DECODE else stored
                inputs = x.to(x_ptr.dtype.element_ty)
                product = tl.dot(operand.to(inputs.dtype), tl.trans(inputs), product, input_precision="ieee")
        if GATED:
            product *= (1.0 / tl.sqrt(squares / GROUP + eps))[None, :]
        total += product

    mask = (outputs < out_width)[:, None] & (lanes < rows)[None, :]
    if SPLIT:
        row = part * rows + lanes
        tl.store(out_ptr + row[None, :] * out_width + outputs[:, None], total, mask=mask)
        if NORM and not GATED:  # noqa: SIM102 - this one is decided when compiling, the next one is not
            if tl.program_id(0) == 0:
                tl.store(squares_ptr + row, squares, mask=lanes < rows)
    else:
        if NORM and not GATED:
            total *= (1.0 / tl.sqrt(squares / WIDTH + eps))[None, :]
        scale_ptrs = scale_ptr + outputs[:, None] * scale_step
        residual_ptrs = residual_ptr + lanes[None, :] * residual_stride + outputs[:, None]
        total = finished(total, scale_ptrs, residual_ptrs, mask, RELU2, SCALED, ADD)
        pointers = out_ptr + lanes[None, :] * out_stride + outputs[:, None]
        tl.store(pointers, total.to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def gemv_sum_kernel(
    parts_ptr: tl.tensor,
    squares_ptr: tl.tensor,
    scale_ptr: tl.tensor,
    residual_ptr: tl.tensor,
    out_ptr: tl.tensor,
    rows: tl.tensor,
    out_width: tl.tensor,
    scale_step: tl.tensor,
    residual_stride: tl.tensor,
    out_stride: tl.tensor,
    eps: tl.tensor,
    WIDTH: tl.constexpr,
    PARTS: tl.constexpr,
    NORM: tl.constexpr,
    SCALED: tl.constexpr,
    RELU2: tl.constexpr,
    ADD: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Add the parts of row `program_id(1)` in their order and finish; NORM: the norm's factor is still due."""
    row = tl.program_id(1)
    outputs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = outputs < out_width
    total = tl.zeros([BLOCK], tl.float32)
    squares = 0.0
    for part in range(PARTS):
        total += tl.load(parts_ptr + (part * rows + row) * out_width + outputs, mask=mask, other=0.0)
        if NORM:
            squares += tl.load(squares_ptr + part * rows + row)
    if NORM:
        total *= 1.0 / tl.sqrt(squares / WIDTH + eps)
    residual_ptrs = residual_ptr + row * residual_stride + outputs
    total = finished(total, scale_ptr + outputs * scale_step, residual_ptrs, mask, RELU2, SCALED, ADD)
    tl.store(out_ptr + row * out_stride + outputs, total.to(out_ptr.dtype.element_ty), mask=mask)
