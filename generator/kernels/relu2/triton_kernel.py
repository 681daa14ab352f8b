"""Squared ReLU in Triton: one program for one block of one row."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from ragvl.generator.kernels.architecture import launching_on, row_for
from ragvl.generator.kernels.blocks import power_of_two
from ragvl.generator.kernels.cases import CompileCase

__all__ = ["COMPILE_CASES", "relu2"]

_LARGEST_BLOCK = {80: 4096}
"""Architecture to elements of a program of four warps: four 16-byte loads of each lane in bfloat16."""


@triton.jit
def relu2_kernel(
    x_ptr: tl.tensor,
    scale_ptr: tl.tensor,
    out_ptr: tl.tensor,
    x_stride: tl.tensor,
    out_stride: tl.tensor,
    width: tl.tensor,
    QUANTISE: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Square block `program_id(1)` of row `program_id(0)`; with QUANTISE, divide by the scale and saturate."""
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mask = columns < width
    x = tl.load(x_ptr + row * x_stride + columns, mask=mask, other=0.0).to(tl.float32)
    x = tl.where(x < 0.0, 0.0, x)  # not a maximum, which would hide NaN
    squared = x * x
    if QUANTISE:
        squared = tl.div_rn(squared, tl.load(scale_ptr).to(tl.float32))
        squared = tl.where(squared > 448.0, 448.0, squared)
    tl.store(out_ptr + row * out_stride + columns, squared.to(out_ptr.dtype.element_ty), mask=mask)


def relu2(
    x: torch.Tensor, *, scale: torch.Tensor | None = None, out: torch.Tensor | None = None
) -> torch.Tensor:
    """Launch the kernel; see the package's function for the arguments."""
    if out is None:
        dtype = x.dtype if scale is None else torch.float8_e4m3fn
        out = torch.empty(x.shape, dtype=dtype, device=x.device)
    width = x.shape[-1]
    rows, outs = x.reshape(-1, width), out.view(-1, width)
    if x.numel() == 0:
        return out
    block = min(power_of_two(width), row_for(_LARGEST_BLOCK, x.device))
    with launching_on(x.device):
        relu2_kernel[(rows.shape[0], triton.cdiv(width, block))](
            rows,
            x if scale is None else scale,
            outs,
            rows.stride(0),
            outs.stride(0),
            width,
            QUANTISE=scale is not None,
            BLOCK=block,
            num_warps=4,
            enable_fp_fusion=True,
        )
    return out


_STRIDES = {"x_stride": "i32", "out_stride": "i32", "width": "i32"}
COMPILE_CASES = (
    CompileCase(
        name="relu2",
        function=relu2_kernel,
        signature={"x_ptr": "*bf16", "scale_ptr": "*bf16", "out_ptr": "*bf16", **_STRIDES},
        constexprs={"QUANTISE": False, "BLOCK": 4096},
    ),
    CompileCase(
        name="relu2 to float8",
        function=relu2_kernel,
        signature={"x_ptr": "*bf16", "scale_ptr": "*fp32", "out_ptr": "*fp8e4nv", **_STRIDES},
        constexprs={"QUANTISE": True, "BLOCK": 4096},
        architectures=(89, 90, 100, 120),
    ),
)
