"""The Triton kernels of the thin product against float64; run by test_interpreted.py."""

from __future__ import annotations

import pytest
import torch

from ragvl.generator.kernels.gemv import triton_kernel
from ragvl.generator.kernels.gemv.reference import gemv as reference
from ragvl.generator.kernels.gemv.triton_kernel import gemv
from ragvl.generator.kernels.gemv.tuning import Few, One, part_of

LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
ONE = One(8, 64, 4)
SPLIT, WHOLE = Few(16, 32, 4, 3, 12), Few(16, 32, 4, 3, 1)
WIDTH, OUT_WIDTH, GROUP = 160, 37, 40


def call(form: str, rows: int, dtype: torch.dtype) -> dict[str, object]:
    """Return the arguments of one prologue and epilogue, with rows inside wider buffers."""
    torch.manual_seed(0)
    arguments: dict[str, object] = {
        "x": torch.randn(rows, WIDTH + 3).to(dtype)[:, 3:],
        "weight": torch.randn(OUT_WIDTH, WIDTH + 1).to(dtype)[:, 1:],
    }
    if "norm" in form:
        arguments["norm_weight"] = (torch.rand(WIDTH) + 0.5).to(dtype)
    if "gated" in form:
        arguments |= {"gate": torch.randn(rows, WIDTH + 7).to(dtype)[:, 7:], "group_size": GROUP}
    if "relu2" in form:
        arguments["activation"] = "relu2"
    if "residual" in form:
        arguments["residual"] = torch.randn(rows, OUT_WIDTH + 2).to(dtype)[:, 2:]
    if "float8" in form:
        arguments["weight"] = torch.randn(OUT_WIDTH, WIDTH).to(torch.float8_e4m3fn)
        arguments["scale"] = torch.linspace(0.1, 3.0, OUT_WIDTH) if "each" in form else torch.tensor([0.37])
    return arguments


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize("rows", [1, 3, 8])
@pytest.mark.parametrize(
    "form", ["plain", "norm, relu2", "gated norm, residual", "float8, norm", "float8, each"]
)
def test_kernels_are_right(form: str, rows: int, dtype: torch.dtype) -> None:
    """A poisoned output is overwritten with float64's values, at sizes that no block divides."""
    arguments = call(form, rows, dtype)
    out = torch.full((rows, OUT_WIDTH), float("nan"), dtype=dtype)
    gemv(**arguments, out=out, one=ONE, few=SPLIT)
    expected = reference(**arguments)
    assert (out.double() - expected).norm() <= LIMITS[dtype] * expected.norm()


@pytest.mark.parametrize("form", ["norm, relu2", "gated norm, residual", "float8, norm"])
def test_split_sum_is_the_single_pass(form: str) -> None:
    """Cutting the sum in parts changes the last bits at most, and the same call gives the same bits."""
    arguments = call(form, 3, torch.float32)
    step = GROUP if "gated" in form else SPLIT.block_k
    assert part_of(SPLIT, WIDTH, OUT_WIDTH, step) < WIDTH == part_of(WHOLE, WIDTH, OUT_WIDTH, step)
    whole, split = gemv(**arguments, few=WHOLE), gemv(**arguments, few=SPLIT)
    torch.testing.assert_close(split, whole, rtol=1e-5, atol=1e-5)
    assert torch.equal(split, gemv(**arguments, few=SPLIT))


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("architecture", [80, 90])
def test_every_finite_float8_is_widened_exactly(
    rows: int, architecture: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All 254 finite bytes come out as themselves, by the instruction (90) and by shifting bits (80)."""
    monkeypatch.setattr(triton_kernel, "architecture", lambda device: architecture)
    codes = torch.tensor([code for code in range(256) if code & 0x7F != 0x7F], dtype=torch.uint8)
    weight = torch.zeros(len(codes), 32, dtype=torch.uint8)
    weight[:, 5] = codes
    x = torch.zeros(rows, 32)
    x[:, 5] = 1.0
    found = gemv(x, weight.view(torch.float8_e4m3fn), one=One(64, 32, 4), few=Few(64, 32, 4, 3, 1))
    assert torch.equal(found, codes.view(torch.float8_e4m3fn).float().expand(rows, -1))


def test_logits_come_in_float32() -> None:
    """The dtype of the output is the caller's."""
    arguments = call("norm", 1, torch.float16)
    out = torch.full((1, OUT_WIDTH), float("nan"))
    gemv(**arguments, out=out, one=ONE)
    expected = reference(**arguments)
    assert (out.double() - expected).norm() <= 1e-6 * expected.norm()


@pytest.mark.parametrize(("out_width", "parts"), [(5120, 4), (20480, 1), (22656, 1), (64, 8)])
def test_few_outputs_are_cut_in_more_parts(out_width: int, parts: int) -> None:
    """Parts make up for outputs that do not fill the GPU."""
    assert -(-5120 // part_of(Few(64, 128, 4, 3, 264), 5120, out_width, 128)) == parts
