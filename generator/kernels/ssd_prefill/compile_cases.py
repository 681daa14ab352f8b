"""The forms of the scan that the compile gate compiles: those of a prompt of the 12B model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import triton.language as tl

from ragvl.generator.kernels.cases import ARCHITECTURES, CompileCase
from ragvl.generator.kernels.ssd_prefill.fused import ssd_fused_kernel
from ragvl.generator.kernels.ssd_prefill.parted import ssd_outputs_kernel, ssd_pass_kernel, ssd_sums_kernel
from ragvl.generator.kernels.ssd_prefill.tuning import (
    FUSED,
    OUTPUTS,
    PASS_BLOCK,
    SUMS,
    Cut,
)

__all__ = ["COMPILE_CASES"]

_FLOAT32 = ("a_ptr", "d_ptr", "bias_ptr", "initial_ptr", "final_ptr", "taken_ptr", "states_ptr", "wholes_ptr")
_INT32 = ("bounds_ptr", "stops_ptr", "chunks_ptr", "firsts_ptr")
_FLAGS = ("HAS_D", "HAS_BIAS", "HAS_INITIAL")
_SIZES = {
    "HEADS": 128,
    "SHARE": 16,
    "STATE": 128,
    "MAIN": 64,
    "REST": 16,
    "SIZE": 80 * 128,
    "BLOCK": PASS_BLOCK,
}


def _case(
    name: str,
    function: Any,
    cut: Cut,
    architectures: tuple[int, ...],
    *,
    takes: bool = False,
    stack: int | Mapping[int, int] = 0,
    wgmma: bool = False,
) -> CompileCase:
    """Describe a kernel by the names of its arguments, which mean the same in all of them."""
    known = {
        **dict.fromkeys(_FLAGS, True),
        **_SIZES,
        "PACKED": False,
        "TAKES": takes,
        "CHUNK": cut.chunk,
        "DOT": tl.bfloat16,
    }
    constexprs = {argument: known[argument] for argument in function.arg_names if argument in known}
    return CompileCase(
        name=name,
        function=function,
        signature={each: _type_of(each) for each in function.arg_names if each not in constexprs},
        constexprs=constexprs,
        num_warps=cut.num_warps,
        num_stages=cut.num_stages,
        max_stack_bytes=stack,
        architectures=architectures,
        wgmma=wgmma,
        odd=("length", "segments"),
    )


def _type_of(argument: str) -> str:
    if argument in ("least", "most"):
        return "fp32"
    if not argument.endswith("_ptr"):
        return "i32"
    return "*fp32" if argument in _FLOAT32 else "*i32" if argument in _INT32 else "*bf16"


def _each(table: Mapping[int, Cut]) -> Iterator[tuple[Cut, tuple[int, ...]]]:
    """Yield every row of a table with the architectures that use it."""
    for row, cut in table.items():
        yield cut, tuple(a for a in ARCHITECTURES if max(known for known in table if known <= a) == row)


_FUSED_STACK = {80: 440, 86: 400, 89: 400, 90: 200, 100: 360, 120: 760}
"""Spilled registers of the fused kernel: its state alone takes 40 of a lane's 255."""

COMPILE_CASES = (
    *(
        _case("ssd_prefill", ssd_fused_kernel, cut, archs, stack=_FUSED_STACK, wgmma=True)
        for cut, archs in _each(FUSED)
    ),
    *(
        _case("scan with snapshots", ssd_fused_kernel, cut, archs, takes=True, stack=_FUSED_STACK)
        for cut, archs in _each(FUSED)
    ),
    *(_case("scan, sums", ssd_sums_kernel, cut, archs, wgmma=True) for cut, archs in _each(SUMS)),
    *(_case("scan, outputs", ssd_outputs_kernel, cut, archs, wgmma=True) for cut, archs in _each(OUTPUTS)),
    _case("scan, states in order", ssd_pass_kernel, Cut(0, 4, 2), ARCHITECTURES),
)
