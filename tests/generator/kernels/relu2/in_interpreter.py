"""The Triton kernel of squared ReLU against its twin; run by test_interpreted.py."""

from __future__ import annotations

import pytest
import torch

from ragvl.generator.kernels.relu2.torch_twin import relu2 as twin
from ragvl.generator.kernels.relu2.triton_kernel import relu2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
@pytest.mark.parametrize("width", [1, 99, 128, 5000])
def test_kernel_gives_the_bits_of_its_twin(width: int, dtype: torch.dtype) -> None:
    """A poisoned output is overwritten, from rows inside a wider buffer, and not-a-number passes."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, width + 9).to(dtype)[..., 9:]
    x[0, 0, 0] = float("nan")
    out = torch.full((2, 3, width), 77.0, dtype=dtype)
    relu2(x, out=out)
    torch.testing.assert_close(out, twin(x), rtol=0, atol=0, equal_nan=True)


def test_float8_is_rounded_as_by_the_twin() -> None:
    """The same bytes, but for subnormal results and carries into the exponent, which the interpreter misrounds."""
    torch.manual_seed(0)
    x, scale = torch.randn(5, 1000) * 20, torch.tensor([0.83])
    found, expected = relu2(x, scale=scale).view(torch.uint8), twin(x, scale=scale).view(torch.uint8)
    sound = (expected >= 8) & ((expected & 7) != 0)
    assert torch.equal(found[sound], expected[sound])
    assert int(sound.sum()) > 1000
    assert int((found == 0x7E).sum()) == int((expected == 0x7E).sum()) > 0
