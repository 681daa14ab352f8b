"""One step in float64, value by value as the formulas have it: the truth that the other forms are compared with."""

from __future__ import annotations

import torch
from torch.nn import functional

__all__ = ["mamba_decode"]


def mamba_decode(
    xBC: torch.Tensor,
    dt: torch.Tensor,
    conv_ring: torch.Tensor,
    pos: torch.Tensor,
    ssm_state: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor | None,
    A: torch.Tensor,
    D: torch.Tensor | None,
    dt_bias: torch.Tensor | None,
    *,
    dt_limit: tuple[float, float] = (0.0, float("inf")),
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return outputs, ring and state, all new and float64; see the package's function for the arguments."""
    heads, head_dim, state_size = ssm_state.shape[1:]
    groups = (xBC.shape[1] - heads * head_dim) // (2 * state_size)
    ring, state = conv_ring.double().clone(), ssm_state.double().clone()
    y = torch.zeros(xBC.shape[0], heads * head_dim, dtype=torch.float64)
    for row, position in enumerate(pos.tolist()):
        ring[row, :, position % 4] = xBC[row].double()
        total = torch.zeros(xBC.shape[1], dtype=torch.float64) if b is None else b.double()
        for tap in range(4):
            total = total + w[:, tap].double() * ring[row, :, (position - 3 + tap) % 4]
        mixed = total * torch.sigmoid(total)
        sizes = [heads * head_dim, groups * state_size, groups * state_size]
        x, B, C = torch.split(mixed, sizes)
        for head in range(heads):
            group = head // (heads // groups)
            part = slice(head * head_dim, (head + 1) * head_dim)
            rows = slice(group * state_size, (group + 1) * state_size)
            raw = dt[row, head].double() + (0 if dt_bias is None else dt_bias[head].double())
            step = functional.softplus(raw, threshold=700).clamp(*dt_limit)
            update = torch.outer(x[part], B[rows]) * step
            state[row, head] = torch.exp(step * A[head].double()) * state[row, head] + update
            y[row, part] = state[row, head] @ C[rows] + (0 if D is None else D[head].double() * x[part])
    return y, ring, state
