"""Residual addition and norm: the PyTorch twin against float64, and the function that users call."""

from __future__ import annotations

import pytest
import torch

from ragvl.generator.kernels.residual_rmsnorm import residual_rmsnorm
from ragvl.generator.kernels.residual_rmsnorm.reference import residual_rmsnorm as reference

LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 5e-3}


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, 3, 100), (2, 5120)])
@pytest.mark.parametrize("adds", [True, False])
def test_twin_is_right(shape: tuple[int, ...], dtype: torch.dtype, adds: bool) -> None:
    """Norm and sum keep to float64 within the rounding of their dtype."""
    torch.manual_seed(0)
    x, weight = torch.randn(shape).to(dtype), torch.rand(shape[-1]).to(dtype)
    residual = torch.randn(shape).to(dtype) if adds else None
    for found, expected in zip(
        residual_rmsnorm(x, residual, weight), reference(x, residual, weight), strict=True
    ):
        assert found.dtype == dtype
        assert (found.double() - expected).norm() <= LIMITS[dtype] * expected.norm()


def test_one_call_gives_the_bits_of_two() -> None:
    """The norm reads the rounded sum: adding first and normalising then changes no bit."""
    torch.manual_seed(0)
    x, residual = torch.randn(2, 8, 96).bfloat16()
    weight = torch.rand(96).bfloat16()
    normed, total = residual_rmsnorm(x, residual, weight)
    assert torch.equal(total, x + residual)
    assert torch.equal(normed, residual_rmsnorm(x + residual, None, weight)[0])


def test_outputs_may_replace_the_inputs() -> None:
    """The sum goes over the residual and the norm over x, and nothing else is touched."""
    torch.manual_seed(0)
    x, residual, weight = torch.randn(3, 24), torch.randn(3, 24), torch.rand(24)
    expected = residual_rmsnorm(x, residual, weight)
    found = residual_rmsnorm(x, residual, weight, out=x, residual_out=residual)
    assert found[0] is x and found[1] is residual
    assert torch.equal(x, expected[0]) and torch.equal(residual, expected[1])


def test_nothing_to_add_gives_the_input_back() -> None:
    """Without a residual the sum is x itself, uncopied."""
    x = torch.randn(2, 8)
    assert residual_rmsnorm(x, None, torch.ones(8))[1] is x


@pytest.mark.parametrize("name", ["residual", "weight", "out", "residual_out"])
def test_wrong_shapes_are_refused(name: str) -> None:
    """The message names the argument and both shapes."""
    arguments = {"residual": torch.zeros(2, 8), "weight": torch.zeros(8), name: torch.zeros(2, 9)}
    with pytest.raises(ValueError, match=rf"residual_rmsnorm: {name} is \(2, 9\) and x is \(2, 8\)"):
        residual_rmsnorm(torch.zeros(2, 8), **arguments)
