"""Attention of one token: its PyTorch twin against float64, and the function that users call."""

from __future__ import annotations

import pytest
import torch

from ragvl.generator.kernels.decode_attention import decode_attention
from ragvl.generator.kernels.decode_attention.reference import decode_attention as reference

LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 5e-3}
BATCH, HEADS, KV_HEADS, WIDTH, CAPACITY = 2, 10, 2, 24, 23


def drawn(dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """Return queries and caches, whose tokens lie before their heads."""
    torch.manual_seed(0)
    caches = [torch.randn(BATCH, CAPACITY, KV_HEADS, WIDTH).to(dtype).transpose(1, 2) for _ in range(2)]
    return {"q": torch.randn(BATCH, HEADS, WIDTH).to(dtype), "k_cache": caches[0], "v_cache": caches[1]}


def new_token(dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """Return the key and value of a token that is not in the cache."""
    return {name: torch.randn(BATCH, KV_HEADS, WIDTH).to(dtype) for name in ("key", "value")}


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize("appends", [True, False])
def test_twin_is_right_at_every_length(dtype: torch.dtype, appends: bool) -> None:
    """From no token to a full cache, whatever poison lies behind the length."""
    for length in range(CAPACITY if appends else CAPACITY + 1):
        arguments, token = drawn(dtype), new_token(dtype) if appends else {}
        arguments["k_cache"][:, :, length:] = float("nan")
        arguments["v_cache"][:, :, length:] = float("nan")
        lengths = torch.tensor([length, length // 2], dtype=torch.int32)
        expected = reference(**arguments, length=lengths, **token)
        found = decode_attention(**arguments, length=lengths, **token)
        assert found.dtype == dtype
        assert (found.double() - expected).norm() <= LIMITS[dtype] * expected.norm()


def test_a_new_token_is_stored_where_the_length_says() -> None:
    """Only the row at the length changes; the next step reads it like any other."""
    arguments, token = drawn(), new_token()
    before = arguments["k_cache"].clone()
    lengths = torch.tensor([4, 9], dtype=torch.int32)
    appended = decode_attention(**arguments, length=lengths, **token)
    assert lengths.tolist() == [4, 9]
    for index, length in enumerate((4, 9)):
        before[index, :, length] = token["key"][index]
        assert torch.equal(arguments["v_cache"][index, :, length], token["value"][index])
    assert torch.equal(arguments["k_cache"], before)
    torch.testing.assert_close(decode_attention(**arguments, length=lengths + 1), appended)


def test_heads_share_in_order() -> None:
    """The first five query heads read the first key-value head, the others the second."""
    arguments = drawn()
    arguments["v_cache"][:, 0], arguments["v_cache"][:, 1] = 1.0, 2.0
    found = decode_attention(**arguments, length=torch.full((BATCH,), 7, dtype=torch.int32))
    torch.testing.assert_close(found[:, :5], torch.ones(BATCH, 5, WIDTH))
    torch.testing.assert_close(found[:, 5:], torch.full((BATCH, 5, WIDTH), 2.0))


def test_order_of_tokens_does_not_matter() -> None:
    """There is no positional encoding: a permuted cache gives the same result."""
    arguments = drawn()
    length = torch.full((BATCH,), CAPACITY, dtype=torch.int32)
    order = torch.randperm(CAPACITY)
    expected = decode_attention(**arguments, length=length)
    for name in ("k_cache", "v_cache"):
        arguments[name] = arguments[name][:, :, order]
    torch.testing.assert_close(decode_attention(**arguments, length=length), expected)


def test_wrong_arguments_are_refused() -> None:
    """The message names the argument and what it has to be."""
    arguments, length = drawn(), torch.ones(BATCH, dtype=torch.int32)
    with pytest.raises(ValueError, match=r"length is \(1,\) and has to be \(2,\)"):
        decode_attention(**arguments, length=length[:1])
    with pytest.raises(ValueError, match="key and value come together"):
        decode_attention(**arguments, length=length, key=new_token()["key"])
    with pytest.raises(ValueError, match="2 key-value heads do not divide 9 query heads"):
        decode_attention(**{**arguments, "q": torch.zeros(BATCH, 9, WIDTH)}, length=length)
