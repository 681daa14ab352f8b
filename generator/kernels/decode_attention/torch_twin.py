"""Attention of one query token over a cache in plain PyTorch, for every device."""

from __future__ import annotations

import torch


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
    Return what the op of this name returns; see the package's function for the arguments.

    On a GPU the whole cache is read under a mask, so that no length comes to the host and a graph can replay
    it; on a processor only the tokens that count are read.
    """
    batch, heads, width = q.shape
    kv_heads, capacity = k_cache.shape[1], k_cache.shape[2]
    count = length.to(torch.int64)
    if key is not None and value is not None:
        where = count.view(batch, 1, 1, 1).expand(batch, kv_heads, 1, width)
        k_cache.scatter_(2, where, key.to(k_cache.dtype).unsqueeze(2))
        v_cache.scatter_(2, where, value.to(v_cache.dtype).unsqueeze(2))
        count = count + 1
    seen = capacity if q.is_cuda else int(count.max())
    wide = torch.promote_types(q.dtype, torch.float32)
    keys, values = k_cache[:, :, :seen].to(wide), v_cache[:, :, :seen].to(wide)
    outside = torch.arange(seen, device=q.device) >= count.view(batch, 1)
    query = q.to(wide).reshape(batch, kv_heads, heads // kv_heads, width)
    scores = query @ keys.transpose(2, 3) * (width**-0.5 if scale is None else scale)
    scores = scores.masked_fill_(outside[:, None, None], torch.finfo(torch.float32).min)
    values = values.masked_fill(outside[:, None, :, None], 0.0)
    attended = (torch.softmax(scores, dim=-1) @ values).flatten(1, 2)
    return attended.to(q.dtype) if out is None else out.copy_(attended)
