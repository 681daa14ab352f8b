"""The gated group norm: its PyTorch twin against float64, and the function that users call."""

from __future__ import annotations

import pytest
import torch

from ragvl.generator.kernels.gated_group_rmsnorm import gated_group_rmsnorm
from ragvl.generator.kernels.gated_group_rmsnorm.reference import gated_group_rmsnorm as reference

LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 4e-3}


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize(
    ("shape", "group_size"), [((1, 7), 7), ((3, 5, 60), 20), ((2, 2560), 1280), ((4, 9), 1)]
)
def test_twin_is_right(shape: tuple[int, ...], group_size: int, dtype: torch.dtype) -> None:
    """The twin keeps to float64 within the rounding of its dtype, for any number of channels in a group."""
    torch.manual_seed(0)
    y, gate, weight = torch.randn(shape), torch.randn(shape), torch.rand(shape[-1]) + 0.5
    y, gate, weight = y.to(dtype), gate.to(dtype), weight.to(dtype)
    expected = reference(y, gate, weight, group_size=group_size)
    found = gated_group_rmsnorm(y, gate, weight, group_size=group_size)
    assert found.dtype == dtype
    assert (found.double() - expected).norm() <= LIMITS[dtype] * expected.norm()


def test_gate_comes_before_the_norm() -> None:
    """A constant factor of the gate's SiLU disappears in the norm, which it would not after it."""
    y = torch.tensor([[3.0, 4.0]])
    gate = torch.full((1, 2), 5.0)
    found = gated_group_rmsnorm(y, gate, torch.ones(2), group_size=2, eps=0.0)
    torch.testing.assert_close(found, y / torch.tensor(12.5).sqrt())


def test_groups_do_not_see_each_other() -> None:
    """Growing one group a thousand times leaves the other's bits alone."""
    torch.manual_seed(0)
    y, gate = torch.randn(2, 40), torch.randn(2, 40)
    grown = y.clone()
    grown[:, 20:] *= 1000
    before, after = (
        gated_group_rmsnorm(each, gate, torch.ones(40), group_size=20)[:, :20] for each in (y, grown)
    )
    assert torch.equal(before, after)


def test_slices_are_read_and_results_written_in_place() -> None:
    """A gate inside a wider buffer gives the same values, and the result may replace the input."""
    torch.manual_seed(0)
    buffer, y, weight = torch.randn(3, 5, 100), torch.randn(3, 5, 40), torch.rand(40)
    gate = buffer[..., 7:47]
    expected = gated_group_rmsnorm(y, gate.contiguous(), weight, group_size=20)
    out = torch.full_like(y, float("nan"))
    assert gated_group_rmsnorm(y, gate, weight, group_size=20, out=out) is out
    torch.testing.assert_close(out, expected)
    gated_group_rmsnorm(y, gate, weight, group_size=20, out=y)
    assert torch.equal(y, out)


def test_wrong_shapes_are_refused() -> None:
    """The message names the operation and the shapes or the size that do not fit."""
    y = torch.zeros(2, 12)
    with pytest.raises(ValueError, match="gated_group_rmsnorm: y \\(2, 12\\), gate \\(2, 6\\)"):
        gated_group_rmsnorm(y, torch.zeros(2, 6), torch.zeros(12), group_size=4)
    with pytest.raises(ValueError, match="group_size 5 does not divide 12"):
        gated_group_rmsnorm(y, y, torch.zeros(12), group_size=5)
