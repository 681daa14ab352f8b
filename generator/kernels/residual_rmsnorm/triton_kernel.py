"""Residual addition and norm in Triton: one program for one row, which it reads once."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from ragvl.generator.kernels.architecture import launching_on, row_for
from ragvl.generator.kernels.blocks import in_powers
from ragvl.generator.kernels.cases import CompileCase

__all__ = ["COMPILE_CASES", "residual_rmsnorm"]

_WARPS = {80: 8}
"""Architecture to warps of a program; a row of 5,120 is twenty elements of each lane of eight warps."""


@triton.jit
def _total(
    x_ptr: tl.tensor,
    residual_ptr: tl.tensor,
    total_ptr: tl.tensor,
    columns: tl.tensor,
    mask: tl.tensor,
    ADD: tl.constexpr,
    STORE: tl.constexpr,
) -> tl.tensor:
    x = tl.load(x_ptr + columns, mask=mask, other=0.0)
    total = x.to(tl.float32)
    if ADD:
        total += tl.load(residual_ptr + columns, mask=mask, other=0.0).to(tl.float32)
        total = total.to(x.dtype).to(tl.float32)
    if STORE:
        tl.store(total_ptr + columns, total.to(total_ptr.dtype.element_ty), mask=mask)
    return total


@triton.jit
def residual_rmsnorm_kernel(
    x_ptr: tl.tensor,
    residual_ptr: tl.tensor,
    weight_ptr: tl.tensor,
    out_ptr: tl.tensor,
    total_ptr: tl.tensor,
    x_stride: tl.tensor,
    residual_stride: tl.tensor,
    out_stride: tl.tensor,
    total_stride: tl.tensor,
    eps: tl.tensor,
    WIDTH: tl.constexpr,
    MAIN: tl.constexpr,
    REST: tl.constexpr,
    ADD: tl.constexpr,
    STORE: tl.constexpr,
) -> None:
    """Add and normalise row `program_id(0)`; MAIN + REST lanes cover its WIDTH elements."""
    row = tl.program_id(0).to(tl.int64)
    x_ptr += row * x_stride
    residual_ptr += row * residual_stride
    out_ptr += row * out_stride
    total_ptr += row * total_stride

    main = tl.arange(0, MAIN)
    main_mask = main < WIDTH
    main_total = _total(x_ptr, residual_ptr, total_ptr, main, main_mask, ADD, STORE)
    squares = tl.sum(main_total * main_total, axis=0)
    if REST > 0:
        rest = MAIN + tl.arange(0, REST)
        rest_mask = rest < WIDTH
        rest_total = _total(x_ptr, residual_ptr, total_ptr, rest, rest_mask, ADD, STORE)
        squares += tl.sum(rest_total * rest_total, axis=0)
    scale = 1.0 / tl.sqrt(squares / WIDTH + eps)

    main_weight = tl.load(weight_ptr + main, mask=main_mask, other=0.0).to(tl.float32)
    tl.store(out_ptr + main, (main_total * scale * main_weight).to(out_ptr.dtype.element_ty), mask=main_mask)
    if REST > 0:
        rest_weight = tl.load(weight_ptr + rest, mask=rest_mask, other=0.0).to(tl.float32)
        tl.store(
            out_ptr + rest, (rest_total * scale * rest_weight).to(out_ptr.dtype.element_ty), mask=rest_mask
        )


def residual_rmsnorm(
    x: torch.Tensor,
    residual: torch.Tensor | None,
    weight: torch.Tensor,
    *,
    eps: float = 1e-5,
    out: torch.Tensor | None = None,
    residual_out: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Launch the kernel; see the package's function for the arguments."""
    width = x.shape[-1]
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device) if out is None else out
    store = residual is not None or residual_out is not None
    total = residual_out
    if total is None:
        total = torch.empty(x.shape, dtype=x.dtype, device=x.device) if store else x
    rows, outs = x.reshape(-1, width), out.view(-1, width)
    added = rows if residual is None else residual.reshape(-1, width)
    totals = total.view(-1, width) if store else rows
    if rows.shape[0] == 0:
        return out, total
    main, rest = in_powers(width)
    with launching_on(x.device):
        residual_rmsnorm_kernel[(rows.shape[0],)](
            rows,
            added,
            weight,
            outs,
            totals,
            rows.stride(0),
            added.stride(0),
            outs.stride(0),
            totals.stride(0),
            eps,
            WIDTH=width,
            MAIN=main,
            REST=rest,
            ADD=residual is not None,
            STORE=store,
            num_warps=row_for(_WARPS, x.device),
            enable_fp_fusion=True,
        )
    return out, total


_POINTERS = dict.fromkeys(("x_ptr", "residual_ptr", "weight_ptr", "out_ptr", "total_ptr"), "*bf16")
_STRIDES = dict.fromkeys(("x_stride", "residual_stride", "out_stride", "total_stride"), "i32")
COMPILE_CASES = (
    CompileCase(
        name="residual_rmsnorm",
        function=residual_rmsnorm_kernel,
        signature={**_POINTERS, **_STRIDES, "eps": "fp32"},
        constexprs={"WIDTH": 5120, "MAIN": 4096, "REST": 1024, "ADD": True, "STORE": True},
        num_warps=8,
    ),
)
