"""The thin product: its PyTorch twin against float64, and the function that users call."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ragvl.generator.kernels.gemv import MAX_ROWS, gemv
from ragvl.generator.kernels.gemv.reference import gemv as reference

LIMITS = {torch.float32: 2e-6, torch.float16: 2e-3, torch.bfloat16: 1.2e-2}
WIDTH, OUT_WIDTH, GROUP = 120, 33, 40
FORMS = ("plain", "norm", "gated norm", "relu2", "residual")


def form(name: str, rows: int, dtype: torch.dtype) -> dict[str, Any]:
    """Return the arguments of one prologue or epilogue."""
    norm = {"norm_weight": (torch.rand(WIDTH) + 0.5).to(dtype)}
    return {
        "plain": {},
        "norm": norm,
        "gated norm": {**norm, "gate": torch.randn(rows, WIDTH).to(dtype), "group_size": GROUP},
        "relu2": {"activation": "relu2"},
        "residual": {"residual": torch.randn(rows, OUT_WIDTH).to(dtype)},
    }[name]


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize("rows", [1, 3, MAX_ROWS])
@pytest.mark.parametrize("name", FORMS)
def test_twin_is_right(name: str, rows: int, dtype: torch.dtype) -> None:
    """Every prologue and epilogue keeps to float64 within the rounding of its dtype."""
    torch.manual_seed(0)
    x, weight = torch.randn(rows, WIDTH).to(dtype), torch.randn(OUT_WIDTH, WIDTH).to(dtype)
    arguments = form(name, rows, dtype)
    found, expected = gemv(x, weight, **arguments), reference(x, weight, **arguments)
    assert found.dtype == dtype
    assert (found.double() - expected).norm() <= LIMITS[dtype] * expected.norm()


@pytest.mark.parametrize(
    "scale", [torch.tensor(0.37), torch.linspace(0.1, 3.0, OUT_WIDTH)], ids=["one", "each"]
)
def test_float8_weights_are_their_value_times_the_scale(scale: torch.Tensor) -> None:
    """A quantised weight gives what its float32 value gives, with one scale or one for each output."""
    torch.manual_seed(0)
    x, weight = torch.randn(2, WIDTH), torch.randn(OUT_WIDTH, WIDTH).to(torch.float8_e4m3fn)
    wide = weight.float() * (scale if scale.ndim == 0 else scale[:, None])
    torch.testing.assert_close(gemv(x, weight, scale=scale), gemv(x, wide))


def test_activation_comes_after_the_scale_and_before_the_residual() -> None:
    """2 * 3 scaled by -1 is cut off, so that the residual alone is left."""
    x, weight, residual = torch.tensor([[2.0]]), torch.tensor([[3.0], [-3.0]]), torch.tensor([[7.0, 7.0]])
    found = gemv(x, weight, scale=torch.tensor([-1.0]), activation="relu2", residual=residual)
    assert found.tolist() == [[7.0, 43.0]]


def test_output_may_be_wider_than_the_input_or_replace_the_residual() -> None:
    """Logits come in float32 from bfloat16 rows; a residual is overwritten by the sum."""
    x, weight = torch.randn(1, 8).bfloat16(), torch.randn(4, 8).bfloat16()
    logits = torch.full((1, 4), float("nan"))
    assert gemv(x, weight, out=logits) is logits
    torch.testing.assert_close(logits, x.float() @ weight.float().T, rtol=1e-2, atol=1e-2)
    residual = torch.ones(1, 4).bfloat16()
    expected = gemv(x, weight, residual=residual)
    assert torch.equal(gemv(x, weight, residual=residual, out=residual), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": torch.zeros(9, 4)}, r"x is \(9, 4\); it takes \(rows, in_features\) with 1 to 8 rows"),
        ({"weight": torch.zeros(3, 5)}, r"weight is \(3, 5\) and x is \(2, 4\)"),
        ({"activation": "gelu"}, "activation 'gelu' is not one of none, relu2"),
        ({"gate": torch.zeros(2, 4)}, "a gate needs norm_weight"),
        ({"group_size": 3}, "group_size 3 does not divide 4"),
        ({"residual": torch.zeros(2, 4)}, r"residual is \(2, 4\) and has to be \(2, 3\)"),
        ({"scale": torch.zeros(2)}, r"scale is \(2,\); it is one number or \(3,\)"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    """The message names the argument, what it is and what it has to be."""
    with pytest.raises(ValueError, match=f"gemv: {message}"):
        gemv(**{"x": torch.zeros(2, 4), "weight": torch.zeros(3, 4), **arguments})
