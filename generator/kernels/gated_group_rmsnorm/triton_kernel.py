"""The gated group norm in Triton: one program for one group of one row, which it reads once."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from ragvl.generator.kernels.architecture import launching_on, row_for
from ragvl.generator.kernels.blocks import in_powers
from ragvl.generator.kernels.cases import CompileCase
from ragvl.generator.kernels.pieces import silu

__all__ = ["COMPILE_CASES", "gated_group_rmsnorm"]

_WARPS = {80: 4}
"""Architecture to warps of a program; a group of 1,280 is ten elements of each lane of four warps."""


@triton.jit
def _gated(y_ptr: tl.tensor, gate_ptr: tl.tensor, columns: tl.tensor, mask: tl.tensor) -> tl.tensor:
    y = tl.load(y_ptr + columns, mask=mask, other=0.0).to(tl.float32)
    gate = tl.load(gate_ptr + columns, mask=mask, other=0.0).to(tl.float32)
    return y * silu(gate)


@triton.jit
def gated_group_rmsnorm_kernel(
    y_ptr: tl.tensor,
    gate_ptr: tl.tensor,
    weight_ptr: tl.tensor,
    out_ptr: tl.tensor,
    y_stride: tl.tensor,
    gate_stride: tl.tensor,
    out_stride: tl.tensor,
    eps: tl.tensor,
    GROUP: tl.constexpr,
    MAIN: tl.constexpr,
    REST: tl.constexpr,
) -> None:
    """Normalise group `program_id(1)` of row `program_id(0)`; MAIN + REST lanes cover its GROUP channels."""
    row = tl.program_id(0).to(tl.int64)
    first = tl.program_id(1) * GROUP
    y_ptr += row * y_stride + first
    gate_ptr += row * gate_stride + first
    out_ptr += row * out_stride + first
    weight_ptr += first

    main = tl.arange(0, MAIN)
    main_mask = main < GROUP
    main_gated = _gated(y_ptr, gate_ptr, main, main_mask)
    squares = tl.sum(main_gated * main_gated, axis=0)
    if REST > 0:
        rest = MAIN + tl.arange(0, REST)
        rest_mask = rest < GROUP
        rest_gated = _gated(y_ptr, gate_ptr, rest, rest_mask)
        squares += tl.sum(rest_gated * rest_gated, axis=0)
    scale = 1.0 / tl.sqrt(squares / GROUP + eps)

    main_weight = tl.load(weight_ptr + main, mask=main_mask, other=0.0).to(tl.float32)
    tl.store(out_ptr + main, (main_gated * scale * main_weight).to(out_ptr.dtype.element_ty), mask=main_mask)
    if REST > 0:
        rest_weight = tl.load(weight_ptr + rest, mask=rest_mask, other=0.0).to(tl.float32)
        tl.store(
            out_ptr + rest, (rest_gated * scale * rest_weight).to(out_ptr.dtype.element_ty), mask=rest_mask
        )


def gated_group_rmsnorm(
    y: torch.Tensor,
    gate: torch.Tensor,
    weight: torch.Tensor,
    *,
    group_size: int,
    eps: float = 1e-5,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    """Launch the kernel; see the package's function for the arguments."""
    out = torch.empty(y.shape, dtype=y.dtype, device=y.device) if out is None else out
    channels = y.shape[-1]
    rows, gates, outs = y.reshape(-1, channels), gate.reshape(-1, channels), out.view(-1, channels)
    if rows.shape[0] == 0:
        return out
    main, rest = in_powers(group_size)
    with launching_on(y.device):
        gated_group_rmsnorm_kernel[(rows.shape[0], channels // group_size)](
            rows,
            gates,
            weight,
            outs,
            rows.stride(0),
            gates.stride(0),
            outs.stride(0),
            eps,
            GROUP=group_size,
            MAIN=main,
            REST=rest,
            num_warps=row_for(_WARPS, y.device),
            enable_fp_fusion=True,
        )
    return out


COMPILE_CASES = (
    CompileCase(
        name="gated_group_rmsnorm",
        function=gated_group_rmsnorm_kernel,
        signature={
            "y_ptr": "*bf16",
            "gate_ptr": "*bf16",
            "weight_ptr": "*bf16",
            "out_ptr": "*bf16",
            "y_stride": "i32",
            "gate_stride": "i32",
            "out_stride": "i32",
            "eps": "fp32",
        },
        constexprs={"GROUP": 1280, "MAIN": 1024, "REST": 256},
        num_warps=4,
    ),
)
