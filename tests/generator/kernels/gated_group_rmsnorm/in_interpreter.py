"""The Triton kernel of the gated group norm against float64; run by test_interpreted.py."""

from __future__ import annotations

import pytest
import torch

from ragvl.generator.kernels.gated_group_rmsnorm.reference import gated_group_rmsnorm as reference
from ragvl.generator.kernels.gated_group_rmsnorm.triton_kernel import gated_group_rmsnorm

LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 6e-3}


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize(("groups", "group_size"), [(1, 1), (3, 7), (2, 80), (2, 100), (1, 128), (2, 1280)])
def test_kernel_is_right(groups: int, group_size: int, dtype: torch.dtype) -> None:
    """A poisoned output is overwritten with float64's values, from a gate inside a wider buffer."""
    torch.manual_seed(0)
    channels = groups * group_size
    y = torch.randn(2, 3, channels).to(dtype)
    gate = torch.randn(2, 3, channels + 13).to(dtype)[..., 13:]
    weight = (torch.rand(channels) + 0.5).to(dtype)
    out = torch.full_like(y, float("nan"))
    gated_group_rmsnorm(y, gate, weight, group_size=group_size, out=out)
    expected = reference(y, gate, weight, group_size=group_size)
    assert (out.double() - expected).norm() <= LIMITS[dtype] * expected.norm()


def test_result_may_replace_the_input() -> None:
    """The kernel reads a group before it writes it."""
    torch.manual_seed(0)
    y, gate, weight = torch.randn(4, 40), torch.randn(4, 40), torch.rand(40)
    expected = gated_group_rmsnorm(y, gate, weight, group_size=20)
    gated_group_rmsnorm(y, gate, weight, group_size=20, out=y)
    assert torch.equal(y, expected)


def test_no_rows_launch_nothing() -> None:
    """An empty batch gives an empty result."""
    assert gated_group_rmsnorm(torch.empty(0, 8), torch.empty(0, 8), torch.ones(8), group_size=4).shape == (
        0,
        8,
    )
