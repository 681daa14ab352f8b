"""Attention of one query token over a cache, in float64: the truth that the other two forms are compared with."""

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
) -> torch.Tensor:
    """Return the op's result, (batch, query_heads, head_dim) float64; the caches are not written."""
    batch, heads, width = q.shape
    sharing = heads // k_cache.shape[1]
    factor = width**-0.5 if scale is None else scale
    rows = []
    for index in range(batch):
        stop = int(length[index])
        keys, values = k_cache[index, :, :stop].double(), v_cache[index, :, :stop].double()
        if key is not None and value is not None:
            keys = torch.cat([keys, key[index].double()[:, None]], dim=1)
            values = torch.cat([values, value[index].double()[:, None]], dim=1)
        if keys.shape[1] == 0:
            rows.append(torch.zeros(heads, width, dtype=torch.float64, device=q.device))
            continue
        query = q[index].double().reshape(-1, sharing, width)
        weights = torch.softmax(query @ keys.transpose(1, 2) * factor, dim=-1)
        rows.append((weights @ values).flatten(0, 1))
    return torch.stack(rows)
