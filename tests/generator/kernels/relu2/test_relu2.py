"""Squared ReLU: the PyTorch twin against float64, and the function that users call."""

from __future__ import annotations

import pytest
import torch

from ragvl.generator.kernels.relu2 import relu2
from ragvl.generator.kernels.relu2.reference import relu2 as reference

LIMITS = {torch.float32: 1e-7, torch.float16: 1e-3, torch.bfloat16: 4e-3}


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize("shape", [(1,), (3, 7), (2, 3, 99)])
def test_twin_is_right(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """The square keeps to float64 within one rounding."""
    torch.manual_seed(0)
    x = torch.randn(shape).abs_().to(dtype)
    found, expected = relu2(x), reference(x)
    assert found.dtype == dtype
    assert (found.double() - expected).norm() <= LIMITS[dtype] * expected.norm()


def test_special_values() -> None:
    """Negatives vanish, infinity stays, and not-a-number is not hidden."""
    found = relu2(torch.tensor([-3.0, -0.0, 2.0, float("inf"), float("-inf"), float("nan")]))
    expected = torch.tensor([0.0, 0.0, 4.0, float("inf"), 0.0, float("nan")])
    torch.testing.assert_close(found, expected, equal_nan=True)


def test_float8_divides_by_the_scale_and_saturates() -> None:
    """Results are the nearest float8 of square / scale; past the largest they stay at 448."""
    x = torch.tensor([0.0, 1.0, 2.0, 3.0, 40.0, -5.0])
    found = relu2(x, scale=torch.tensor(0.5))
    assert found.dtype == torch.float8_e4m3fn
    assert found.float().tolist() == [0.0, 2.0, 8.0, 18.0, 448.0, 0.0]


def test_result_may_replace_the_input() -> None:
    """Without a scale the square goes where the input was."""
    x = torch.randn(4, 5)
    expected = relu2(x)
    assert relu2(x, out=x) is x
    assert torch.equal(x, expected)


def test_wrong_shapes_are_refused() -> None:
    """A scale for each row and an output of another shape are named."""
    with pytest.raises(ValueError, match=r"relu2: scale is \(2,\)"):
        relu2(torch.zeros(2, 3), scale=torch.ones(2))
    with pytest.raises(ValueError, match=r"relu2: out is \(3,\)"):
        relu2(torch.zeros(2, 3), out=torch.ones(3))
