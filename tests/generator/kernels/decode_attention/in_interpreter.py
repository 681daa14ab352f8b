"""The Triton kernels of decode attention against float64; run by test_interpreted.py."""

from __future__ import annotations

import pytest
import torch

from ragvl.generator.kernels.decode_attention.reference import decode_attention as reference
from ragvl.generator.kernels.decode_attention.triton_kernel import Cut, decode_attention

LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
SEVERAL, SINGLE = Cut(16, 4, 2, 12), Cut(16, 4, 2, 1)


def drawn(
    capacity: int, heads: int = 10, width: int = 24, dtype: torch.dtype = torch.float32
) -> dict[str, torch.Tensor]:
    """Return queries, caches whose tokens lie before their heads, and a new token, out of wider buffers."""
    torch.manual_seed(0)
    caches = [torch.randn(2, capacity, 2, width).to(dtype).transpose(1, 2) for _ in range(2)]
    buffer = torch.randn(2, heads + 4, width).to(dtype)
    return {
        "q": buffer[:, :heads],
        "k_cache": caches[0],
        "v_cache": caches[1],
        "key": buffer[:, heads : heads + 2],
        "value": buffer[:, heads + 2 :],
    }


@pytest.mark.parametrize("first", range(0, 24, 6))
def test_kernels_are_right_at_every_length(first: int) -> None:
    """Lengths 0 to 47 in pairs, poison behind them; the cache holds the new token, and nothing else has changed."""
    for length in range(first, first + 6):
        arguments = drawn(capacity=49)
        lengths = torch.tensor([length, 47 - length], dtype=torch.int32)
        for row, stop in enumerate(lengths):
            arguments["k_cache"][row, :, stop:] = float("nan")
            arguments["v_cache"][row, :, stop:] = float("nan")
        expected = reference(**arguments, length=lengths)
        kept = arguments["k_cache"].clone()
        for row, stop in enumerate(lengths):
            kept[row, :, stop] = arguments["key"][row]
        out = torch.full((2, 10, 24), float("nan"))
        decode_attention(**arguments, length=lengths, out=out, cut=SEVERAL)
        assert (out.double() - expected).norm() <= 1e-6 * expected.norm()
        torch.testing.assert_close(arguments["k_cache"], kept, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize(("heads", "width"), [(2, 16), (10, 80), (36, 128)])
def test_other_heads_and_types(heads: int, width: int, dtype: torch.dtype) -> None:
    """One to eighteen query heads share a key-value head; widths need not be powers of two."""
    arguments = drawn(70, heads, width, dtype)
    arguments = {name: arguments[name] for name in ("q", "k_cache", "v_cache")}
    lengths = torch.tensor([70, 33], dtype=torch.int32)
    expected = reference(**arguments, length=lengths)
    found = decode_attention(**arguments, length=lengths, cut=SEVERAL)
    assert (found.double() - expected).norm() <= LIMITS[dtype] * expected.norm()


def test_parts_join_to_the_single_pass() -> None:
    """Cutting the cache in parts changes the last bits at most, and the same call gives the same bits."""
    arguments = drawn(capacity=100)
    lengths = torch.tensor([99, 50], dtype=torch.int32)
    single, parts, again = (
        decode_attention(**arguments, length=lengths, cut=cut) for cut in (SINGLE, SEVERAL, SEVERAL)
    )
    torch.testing.assert_close(parts, single, rtol=1e-5, atol=1e-6)
    assert torch.equal(parts, again)


def test_large_scores_do_not_overflow() -> None:
    """Scores of thousands leave the weight on the largest one."""
    arguments = drawn(capacity=40)
    arguments = {name: arguments[name] * 40 for name in ("q", "k_cache", "v_cache")}
    lengths = torch.tensor([40, 39], dtype=torch.int32)
    expected = reference(**arguments, length=lengths)
    found = decode_attention(**arguments, length=lengths, cut=SEVERAL)
    assert (found.double() - expected).norm() <= 1e-5 * expected.norm()


def test_a_full_cache_drops_the_token() -> None:
    """Nothing is written past the end, and what is stored is read."""
    arguments = drawn(capacity=20)
    guard = arguments["k_cache"].clone()
    lengths = torch.tensor([20, 25], dtype=torch.int32)
    found = decode_attention(**arguments, length=lengths, cut=SEVERAL)
    del arguments["key"], arguments["value"]
    expected = reference(**arguments, length=torch.tensor([20, 20]))
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(arguments["k_cache"], guard)
