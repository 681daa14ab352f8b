"""Attention of one new token over a cache, without positional encoding."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.choice import choose

__all__ = ["decode_attention"]


def decode_attention(
    q: torch.Tensor,
    k_cache: torch.Tensor,
    v_cache: torch.Tensor,
    length: torch.Tensor,
    *,
    key: torch.Tensor | None = None,
    value: torch.Tensor | None = None,
    scale: float | None = None,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    """
    Return what one query token reads from the first `length` tokens of a cache; store its own key and value.

    Query heads share key-value heads in order: head h reads h // (query_heads / kv_heads). Nothing comes to
    the host and nothing is sized by `length`, so a CUDA graph can replay the call while the cache grows. The
    order of every sum depends on `length` and the cache's capacity only: the same call gives the same bits.

    Args:
        q: (batch, query_heads, head_dim) bfloat16, float16 or float32; the last axis is contiguous.
        k_cache: (batch, kv_heads, capacity, head_dim), dtype of `q`, any strides but the last: a
            (batch, capacity, kv_heads, head_dim) buffer is passed as its transpose.
        v_cache: as `k_cache`.
        length: (batch,) int32 on the device of `q`: tokens in the cache, before this one when `key` is given.
            Not changed.
        key: (batch, kv_heads, head_dim), the new token's: written at index `length` and attended to. The
            caller keeps `length` below the capacity; a GPU cannot raise, and drops the token instead.
        value: as `key`; both or neither.
        scale: of the scores; head_dim ** -0.5 when None.
        out: (batch, query_heads, head_dim). A new tensor when None.

    Returns:
        (batch, query_heads, head_dim), dtype of `q`, or `out`; zero where there is no token to read.

    Raises:
        ValueError: shapes that do not belong together, or a key without a value.
    """
    _check(q, k_cache, v_cache, length, key, value, out)
    tensors = (q, k_cache, v_cache, key, value, out)
    fits = q.dtype != torch.float64 and length.is_contiguous()
    fits = fits and all(tensor is None or tensor.stride(-1) == 1 for tensor in tensors)
    run = choose("decode_attention", q.device, fits=fits)
    attended: torch.Tensor = run(q, k_cache, v_cache, length, key=key, value=value, scale=scale, out=out)
    return attended


def _check(
    q: torch.Tensor,
    k_cache: torch.Tensor,
    v_cache: torch.Tensor,
    length: torch.Tensor,
    key: torch.Tensor | None,
    value: torch.Tensor | None,
    out: torch.Tensor | None,
) -> None:
    if q.ndim != 3 or k_cache.ndim != 4:
        raise ValueError(f"decode_attention: q is {tuple(q.shape)} and k_cache is {tuple(k_cache.shape)}")
    batch, heads, width = q.shape
    kv_heads, capacity = k_cache.shape[1], k_cache.shape[2]
    if heads % kv_heads:
        raise ValueError(f"decode_attention: {kv_heads} key-value heads do not divide {heads} query heads")
    if (key is None) != (value is None):
        raise ValueError("decode_attention: key and value come together")
    wanted = {
        "k_cache": (k_cache, (batch, kv_heads, capacity, width)),
        "v_cache": (v_cache, (batch, kv_heads, capacity, width)),
        "length": (length, (batch,)),
        "key": (key, (batch, kv_heads, width)),
        "value": (value, (batch, kv_heads, width)),
        "out": (out, (batch, heads, width)),
    }
    for name, (tensor, shape) in wanted.items():
        if tensor is not None and tensor.shape != shape:
            raise ValueError(f"decode_attention: {name} is {tuple(tensor.shape)} and has to be {shape}")
