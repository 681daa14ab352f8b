"""Launches of the thin product: one kernel for one row, another, with tensor cores, for two to eight."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton

from ragvl.generator.kernels.architecture import architecture, launching_on, row_for
from ragvl.generator.kernels.gemv.cases import COMPILE_CASES
from ragvl.generator.kernels.gemv.kernel_few import ROWS, gemv_few_kernel, gemv_sum_kernel
from ragvl.generator.kernels.gemv.kernel_one import gemv_one_kernel
from ragvl.generator.kernels.gemv.tuning import FEW, ONE, ONE_FP8, Few, One, part_of

__all__ = ["COMPILE_CASES", "gemv"]

_FP8_ARCHITECTURE = 89
_SUM_BLOCK = 512
_INTERPRETED = not isinstance(gemv_one_kernel, triton.JITFunction)
"""Triton's interpreter cannot compute in bfloat16."""


@dataclass(frozen=True)
class _Call:
    """The operands of one call; an absent one is stood in for by the input row, which the kernel does not read."""

    x: torch.Tensor
    gate: torch.Tensor
    norm_weight: torch.Tensor
    weight: torch.Tensor
    scale: torch.Tensor
    residual: torch.Tensor
    out: torch.Tensor
    group_size: int
    eps: float
    flags: dict[str, int]

    @property
    def scale_step(self) -> int:
        """Zero when one number scales every output."""
        return 1 if self.scale.numel() > 1 else 0


def gemv(
    x: torch.Tensor,
    weight: torch.Tensor,
    *,
    scale: torch.Tensor | None = None,
    norm_weight: torch.Tensor | None = None,
    gate: torch.Tensor | None = None,
    group_size: int | None = None,
    eps: float = 1e-5,
    activation: str = "none",
    residual: torch.Tensor | None = None,
    out: torch.Tensor | None = None,
    one: One | None = None,
    few: Few | None = None,
) -> torch.Tensor:
    """
    Launch the kernels; see the package's function for the arguments.

    `one` and `few` replace the tables' rows for the device: for a benchmark that looks for better ones.
    """
    rows, width = x.shape
    out = torch.empty(rows, weight.shape[0], dtype=x.dtype, device=x.device) if out is None else out
    is_float8 = weight.dtype == torch.float8_e4m3fn
    decode = is_float8 and architecture(x.device) < _FP8_ARCHITECTURE
    call = _Call(
        x=x,
        gate=x if gate is None else gate,
        norm_weight=x if norm_weight is None else norm_weight,
        weight=weight.view(torch.uint8) if decode else weight,
        scale=x if scale is None else scale,
        residual=x if residual is None else residual,
        out=out,
        group_size=width if gate is None or group_size is None else group_size,
        eps=eps,
        flags={
            "WIDTH": width,
            "NORM": norm_weight is not None,
            "SCALED": scale is not None,
            "RELU2": activation == "relu2",
            "ADD": residual is not None,
        },
    )
    extra = {"GATED": gate is not None, "DECODE": decode}
    with launching_on(x.device):
        if rows == 1:
            _launch_one(call, extra, one or row_for(ONE_FP8 if is_float8 else ONE, x.device))
        else:
            _launch_few(call, extra, few or row_for(FEW, x.device))
    return out


def _launch_one(call: _Call, extra: dict[str, bool], cut: One) -> None:
    out_width = call.out.shape[1]
    gemv_one_kernel[(triton.cdiv(out_width, cut.block_n),)](
        call.x,
        call.gate,
        call.norm_weight,
        call.weight,
        call.scale,
        call.residual,
        call.out,
        out_width,
        call.weight.stride(0),
        call.scale_step,
        call.eps,
        **call.flags,
        **extra,
        GROUP=call.group_size,
        BLOCK_N=cut.block_n,
        BLOCK_K=cut.block_k,
        num_warps=cut.num_warps,
        enable_fp_fusion=True,
    )


def _launch_few(call: _Call, extra: dict[str, bool], cut: Few) -> None:
    rows, out_width = call.out.shape
    width = call.x.shape[1]
    part = part_of(cut, width, out_width, call.group_size if extra["GATED"] else cut.block_k)
    parts = triton.cdiv(width, part)
    sums, squares = call.out, call.out
    if parts > 1:
        sums = torch.empty(parts, rows, out_width, dtype=torch.float32, device=call.x.device)
        squares = torch.empty(parts, rows, dtype=torch.float32, device=call.x.device)
    gemv_few_kernel[(triton.cdiv(out_width, cut.block_n), parts)](
        call.x,
        call.gate,
        call.norm_weight,
        call.weight,
        call.scale,
        call.residual,
        sums,
        squares,
        rows,
        out_width,
        call.x.stride(0),
        call.gate.stride(0),
        call.weight.stride(0),
        call.scale_step,
        call.residual.stride(0),
        sums.stride(-2),
        call.eps,
        **call.flags,
        **extra,
        PART=part,
        GROUP=call.group_size,
        WIDEN=_INTERPRETED,
        LANES=ROWS,
        BLOCK_N=cut.block_n,
        BLOCK_K=cut.block_k,
        num_warps=cut.num_warps,
        num_stages=cut.num_stages,
        enable_fp_fusion=True,
    )
    if parts == 1:
        return
    flags = {**call.flags, "NORM": bool(call.flags["NORM"] and not extra["GATED"])}
    gemv_sum_kernel[(triton.cdiv(out_width, _SUM_BLOCK), rows)](
        sums,
        squares,
        call.scale,
        call.residual,
        call.out,
        rows,
        out_width,
        call.scale_step,
        call.residual.stride(0),
        call.out.stride(0),
        call.eps,
        **flags,
        PARTS=parts,
        BLOCK=_SUM_BLOCK,
        num_warps=4,
        enable_fp_fusion=True,
    )
