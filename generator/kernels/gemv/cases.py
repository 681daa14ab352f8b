"""The forms of the thin product that the compile gate compiles: those of a decode step of the 12B model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ragvl.generator.kernels.cases import ARCHITECTURES, CompileCase
from ragvl.generator.kernels.gemv.kernel_few import ROWS, gemv_few_kernel, gemv_sum_kernel
from ragvl.generator.kernels.gemv.kernel_one import gemv_one_kernel
from ragvl.generator.kernels.gemv.tuning import FEW, ONE, ONE_FP8, Few, One, part_of

__all__ = ["COMPILE_CASES"]

_NAMES = ("x_ptr", "gate_ptr", "norm_ptr", "weight_ptr", "residual_ptr", "out_ptr")
_POINTERS = {**dict.fromkeys(_NAMES, "*bf16"), "scale_ptr": "*fp32"}
_OFF = dict.fromkeys(("NORM", "GATED", "SCALED", "RELU2", "ADD"), False)
_IN_PROJECTION = {"NORM": True}
_OUT_PROJECTION = {"NORM": True, "GATED": True, "ADD": True}
_UP = {"NORM": True, "RELU2": True}
_DOWN = {"ADD": True}
_GROUP = 1280


def _archs(table: Mapping[int, object], row: int) -> tuple[int, ...]:
    return tuple(a for a in ARCHITECTURES if max(known for known in table if known <= a) == row)


def _one(name: str, flags: Mapping[str, bool], width: int, *, fp8: bool = False) -> Iterator[CompileCase]:
    table = ONE_FP8 if fp8 else ONE
    for row, cut in table.items():
        decode = fp8 and row < 89
        yield _one_case(name, flags, width, cut, _archs(table, row), _stored(fp8, decode), decode)


def _stored(fp8: bool, decode: bool) -> str:
    return "*u8" if decode else "*fp8e4nv" if fp8 else "*bf16"


def _one_case(
    name: str,
    flags: Mapping[str, bool],
    width: int,
    cut: One,
    architectures: tuple[int, ...],
    stored: str,
    decode: bool,
) -> CompileCase:
    integers = dict.fromkeys(("out_width", "weight_stride", "scale_step"), "i32")
    return CompileCase(
        name=f"gemv, one row, {name}",
        function=gemv_one_kernel,
        signature={**_POINTERS, "weight_ptr": stored, **integers, "eps": "fp32"},
        constexprs={
            **_OFF,
            **flags,
            "DECODE": decode,
            "SCALED": stored != "*bf16",
            "WIDTH": width,
            "GROUP": _GROUP if flags.get("GATED") else width,
            "BLOCK_N": cut.block_n,
            "BLOCK_K": cut.block_k,
        },
        num_warps=cut.num_warps,
        architectures=architectures,
    )


def _few(
    name: str, flags: Mapping[str, bool], width: int, out_width: int, *, fp8: bool = False
) -> Iterator[CompileCase]:
    for row, cut in FEW.items():
        architectures = _archs(FEW, row)
        decode = fp8 and row < 89
        yield _few_case(name, flags, (width, out_width), cut, architectures, _stored(fp8, decode), decode)


def _few_case(
    name: str,
    flags: Mapping[str, bool],
    sizes: tuple[int, int],
    cut: Few,
    architectures: tuple[int, ...],
    stored: str,
    decode: bool,
) -> CompileCase:
    width, out_width = sizes
    part = part_of(cut, width, out_width, _GROUP if flags.get("GATED") else cut.block_k)
    integers = ("rows", "out_width", "weight_stride", "scale_step")
    strides = ("x_stride", "gate_stride", "residual_stride", "out_stride")
    return CompileCase(
        name=f"gemv, 2 to 8 rows, {name}",
        function=gemv_few_kernel,
        signature={
            **_POINTERS,
            "weight_ptr": stored,
            "out_ptr": "*fp32" if part < width else "*bf16",
            "squares_ptr": "*fp32",
            **dict.fromkeys((*integers, *strides), "i32"),
            "eps": "fp32",
        },
        constexprs={
            **_OFF,
            **flags,
            "DECODE": decode,
            "SCALED": stored != "*bf16",
            "WIDTH": width,
            "PART": part,
            "GROUP": _GROUP if flags.get("GATED") else width,
            "WIDEN": False,
            "LANES": ROWS,
            "BLOCK_N": cut.block_n,
            "BLOCK_K": cut.block_k,
        },
        num_warps=cut.num_warps,
        num_stages=cut.num_stages,
        architectures=architectures,
        wgmma=True,
        odd=("rows",),
    )


_SUM = CompileCase(
    name="gemv, sum of parts",
    function=gemv_sum_kernel,
    signature={
        "parts_ptr": "*fp32",
        "squares_ptr": "*fp32",
        "scale_ptr": "*fp32",
        "residual_ptr": "*bf16",
        "out_ptr": "*bf16",
        **dict.fromkeys(("rows", "out_width", "scale_step", "residual_stride", "out_stride"), "i32"),
        "eps": "fp32",
    },
    constexprs={
        "WIDTH": 5120,
        "PARTS": 4,
        "NORM": True,
        "SCALED": False,
        "RELU2": False,
        "ADD": True,
        "BLOCK": 512,
    },
    odd=("rows",),
)

COMPILE_CASES = (
    *_one("norm", _IN_PROJECTION, 5120),
    *_one("gated norm, residual", _OUT_PROJECTION, 10240),
    *_one("norm, squared ReLU", _UP, 5120),
    *_one("residual", _DOWN, 20480),
    *_one("norm, squared ReLU, float8", _UP, 5120, fp8=True),
    *_one("gated norm, residual, float8", _OUT_PROJECTION, 10240, fp8=True),
    *_few("norm, squared ReLU", _UP, 5120, 20480),
    *_few("gated norm, residual", _OUT_PROJECTION, 10240, 5120),
    *_few("residual, float8", _DOWN, 20480, 5120, fp8=True),
    _SUM,
)
