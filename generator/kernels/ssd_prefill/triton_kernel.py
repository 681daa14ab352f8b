"""Launches the scan's Triton kernels, fused or in three parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import triton
import triton.language as tl

from ragvl.generator.kernels.architecture import launching_on, row_for
from ragvl.generator.kernels.ssd_prefill.compile_cases import COMPILE_CASES
from ragvl.generator.kernels.ssd_prefill.fused import ssd_fused_kernel
from ragvl.generator.kernels.ssd_prefill.parted import ssd_outputs_kernel, ssd_pass_kernel, ssd_sums_kernel
from ragvl.generator.kernels.ssd_prefill.sizes import parts_of
from ragvl.generator.kernels.ssd_prefill.tuning import (
    FUSED,
    OUTPUTS,
    PASS_BLOCK,
    SUMS,
    Cut,
    is_fused,
)

__all__ = ["COMPILE_CASES", "ssd_prefill"]

_DOTS = {torch.bfloat16: tl.bfloat16, torch.float16: tl.float16}


def ssd_prefill(
    x: torch.Tensor,
    dt: torch.Tensor,
    A: torch.Tensor,
    B: torch.Tensor,
    C: torch.Tensor,
    *,
    D: torch.Tensor | None,
    dt_bias: torch.Tensor | None,
    initial_state: torch.Tensor | None = None,
    cu_seqlens: torch.Tensor | None = None,
    dt_limit: tuple[float, float] = (0.0, float("inf")),
    snapshot_at: Sequence[int] | None = None,
    out: torch.Tensor | None = None,
    final_state_out: torch.Tensor | None = None,
    fused: bool | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """
    Launch the kernels; see the package's function for the arguments.

    Args:
        fused: which form; None for the one that suits the device. The three kernels read `cu_seqlens` on the host.
    """
    batch, _, heads, head_dim = x.shape
    state = (heads, head_dim, B.shape[3])
    sequences = batch if cu_seqlens is None else cu_seqlens.numel() - 1
    x, dt, B, C = (each if each.stride(-1) == 1 else each.contiguous() for each in (x, dt, B, C))
    if initial_state is not None and initial_state.stride()[2:] != (B.shape[3], 1):
        initial_state = initial_state.contiguous()
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device) if out is None else out
    final = final_state_out
    if final is None:
        final = torch.empty((sequences, *state), dtype=torch.float32, device=x.device)
    places = len(snapshot_at or ())
    taken = torch.empty((batch, places, *state), dtype=torch.float32, device=x.device)
    form = _fused if _suits(heads * sequences, x.device, fused) else _parted
    flags: dict[str, Any] = {
        "HAS_BIAS": dt_bias is not None,
        "HEADS": heads,
        "SHARE": heads // B.shape[2],
        "STATE": B.shape[3],
        **dict(zip(("MAIN", "REST"), parts_of(head_dim) or (0, 0), strict=True)),
        # the interpreter cannot multiply bfloat16; on a GPU float32 goes to the twin
        "DOT": _DOTS[x.dtype] if x.is_cuda else tl.float32,
        "enable_fp_fusion": True,
    }
    with launching_on(x.device):
        form(
            (x, dt, A, B, C, D, dt_bias),
            y,
            initial_state,
            final,
            taken,
            cu_seqlens,
            snapshot_at,
            dt_limit,
            flags,
        )
    return y, final, None if snapshot_at is None else taken


_Inputs = tuple[
    torch.Tensor,
    torch.Tensor,
    torch.Tensor,
    torch.Tensor,
    torch.Tensor,
    torch.Tensor | None,
    torch.Tensor | None,
]


def _fused(
    inputs: _Inputs,
    y: torch.Tensor,
    initial: torch.Tensor | None,
    final: torch.Tensor,
    taken: torch.Tensor,
    cu_seqlens: torch.Tensor | None,
    snapshot_at: Sequence[int] | None,
    dt_limit: tuple[float, float],
    flags: dict[str, Any],
) -> None:
    x, dt, A, B, C, D, dt_bias = inputs
    length, before = x.shape[1], final if initial is None else initial
    stops = [*(snapshot_at or ()), length]
    takes = len(stops) > 1
    cut = row_for(FUSED, x.device)
    ssd_fused_kernel[(x.shape[2], final.shape[0])](
        *(x, dt, A, B, C, A if D is None else D, A if dt_bias is None else dt_bias, y, before, final, taken),
        dt if cu_seqlens is None else cu_seqlens,
        torch.tensor(stops, dtype=torch.int32, device=x.device) if takes else dt,
        *(length, len(stops)),
        *(*x.stride()[:3], *dt.stride()[:2], *B.stride()[:3], *C.stride()[:3], *y.stride()[:3]),
        *(*before.stride()[:2], *final.stride()[:2], *dt_limit),
        HAS_D=D is not None,
        HAS_INITIAL=initial is not None,
        PACKED=cu_seqlens is not None,
        TAKES=takes,
        CHUNK=cut.chunk,
        num_warps=cut.num_warps,
        num_stages=cut.num_stages,
        **flags,
    )


def _parted(
    inputs: _Inputs,
    y: torch.Tensor,
    initial: torch.Tensor | None,
    final: torch.Tensor,
    taken: torch.Tensor,
    cu_seqlens: torch.Tensor | None,
    snapshot_at: Sequence[int] | None,
    dt_limit: tuple[float, float],
    flags: dict[str, Any],
) -> None:
    x, dt, A, B, C, D, dt_bias = inputs
    heads, state_size = x.shape[2], B.shape[3]
    sums, outputs = (row_for(table, x.device) for table in (SUMS, OUTPUTS))
    stops = tuple(snapshot_at or ())
    chunks, firsts = _chunks(x.shape[0], x.shape[1], cu_seqlens, stops, sums.chunk)
    where = torch.tensor(chunks, dtype=torch.int32, device=x.device)
    states = torch.empty((len(chunks), *final.shape[1:]), dtype=torch.float32, device=x.device)
    wholes = torch.empty((len(chunks), heads), dtype=torch.float32, device=x.device)
    before = final if initial is None else initial
    bias = A if dt_bias is None else dt_bias
    strides = (*x.stride()[:3], *dt.stride()[:2], *B.stride()[:3])
    ssd_sums_kernel[(len(chunks), heads)](
        *(x, dt, A, B, bias, where, states, wholes, *strides, *dt_limit),
        CHUNK=sums.chunk,
        **_shape(sums),
        **flags,
    )
    size = final.shape[2] * state_size
    ssd_pass_kernel[(triton.cdiv(size, PASS_BLOCK), heads, final.shape[0])](
        *(states, wholes, torch.tensor(firsts, dtype=torch.int32, device=x.device), before, final),
        *(*before.stride()[:2], *final.stride()[:2]),
        HAS_INITIAL=initial is not None,
        HEADS=heads,
        SIZE=size,
        BLOCK=PASS_BLOCK,
        enable_fp_fusion=True,
    )
    ssd_outputs_kernel[(len(chunks), heads)](
        *(x, dt, A, B, C, A if D is None else D, bias, where, states, y),
        *(*strides, *C.stride()[:3], *y.stride()[:3], *dt_limit),
        HAS_D=D is not None,
        CHUNK=outputs.chunk,
        **_shape(outputs),
        **flags,
    )
    begins = {(row, start): chunk for chunk, (row, start, _) in enumerate(chunks)}
    for row in range(x.shape[0]):
        for place, stop in enumerate(stops):
            taken[row, place] = states[begins[row, stop]] if (row, stop) in begins else final[row]


def _chunks(
    batch: int, length: int, cu_seqlens: torch.Tensor | None, stops: tuple[int, ...], tokens: int
) -> tuple[list[tuple[int, int, int]], list[int]]:
    """List (row, start, stop) of every chunk, none of which crosses a stop, and each sequence's first chunk."""
    bounds = [0, length] if cu_seqlens is None else cu_seqlens.tolist()
    chunks: list[tuple[int, int, int]] = []
    firsts = [0]
    for row in range(batch):
        for begin, end in pairwise(bounds):
            cuts = sorted({begin, *stops, end})
            for first, last in pairwise(cuts):
                chunks += [(row, start, min(start + tokens, last)) for start in range(first, last, tokens)]
            firsts.append(len(chunks))
    return chunks, firsts


def _shape(cut: Cut) -> dict[str, int]:
    return {"num_warps": cut.num_warps, "num_stages": cut.num_stages}


def _suits(programs: int, device: torch.device, fused: bool | None) -> bool:
    if fused is not None or device.type != "cuda":
        return fused is not False
    return is_fused(programs, torch.cuda.get_device_properties(device).multi_processor_count)
