"""The Triton kernel of residual addition and norm against float64; run by test_interpreted.py."""

from __future__ import annotations

import pytest
import torch

from ragvl.generator.kernels.residual_rmsnorm.reference import residual_rmsnorm as reference
from ragvl.generator.kernels.residual_rmsnorm.triton_kernel import residual_rmsnorm

LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 1e-2}


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize("width", [1, 7, 80, 100, 128, 5120])
@pytest.mark.parametrize("adds", [True, False])
def test_kernel_is_right(width: int, dtype: torch.dtype, adds: bool) -> None:
    """Poisoned outputs are overwritten with float64's values, from rows inside wider buffers."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, width + 5).to(dtype)[..., 5:]
    residual = torch.randn(2, 3, width + 3).to(dtype)[..., 3:] if adds else None
    weight = (torch.rand(width) + 0.5).to(dtype)
    out, total = (torch.full((2, 3, width), float("nan"), dtype=dtype) for _ in range(2))
    residual_rmsnorm(x, residual, weight, out=out, residual_out=total)
    for found, expected in zip((out, total), reference(x, residual, weight), strict=True):
        assert (found.double() - expected).norm() <= LIMITS[dtype] * expected.norm()


def test_outputs_may_replace_the_inputs() -> None:
    """The kernel reads a row before it writes it."""
    torch.manual_seed(0)
    x, residual, weight = torch.randn(3, 100), torch.randn(3, 100), torch.rand(100)
    expected = residual_rmsnorm(x, residual, weight)
    residual_rmsnorm(x, residual, weight, out=x, residual_out=residual)
    assert torch.equal(x, expected[0]) and torch.equal(residual, expected[1])


def test_nothing_to_add_gives_the_input_back() -> None:
    """Without a residual the sum is x itself, uncopied."""
    x = torch.randn(2, 8)
    assert residual_rmsnorm(x, None, torch.ones(8))[1] is x
