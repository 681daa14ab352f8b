"""The scan in float64, one token after the other: the truth that the other forms are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch.nn import functional

__all__ = ["ssd_prefill"]


def ssd_prefill(
    x: torch.Tensor,
    dt: torch.Tensor,
    A: torch.Tensor,
    B: torch.Tensor,
    C: torch.Tensor,
    *,
    D: torch.Tensor | None,
    dt_bias: torch.Tensor | None,
    initial_state: torch.Tensor | None = None,
    cu_seqlens: torch.Tensor | None = None,
    dt_limit: tuple[float, float] = (0.0, float("inf")),
    snapshot_at: Sequence[int] | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Return y, the final state and the snapshots, all float64; see the package's function for the arguments."""
    batch, length, heads, head_dim = x.shape
    share = heads // B.shape[2]
    x, A, D = x.double(), A.double(), torch.zeros(heads) if D is None else D.double()
    B, C = B.double().repeat_interleave(share, 2), C.double().repeat_interleave(share, 2)
    bias = torch.zeros(heads) if dt_bias is None else dt_bias
    step = functional.softplus(dt.double() + bias.double(), threshold=700).clamp(*dt_limit)
    bounds = [0, length] if cu_seqlens is None else cu_seqlens.tolist()
    y = torch.empty_like(x)
    finals, snapshots = [], []
    for index, (start, stop) in enumerate(pairwise(bounds)):
        state = torch.zeros(batch, heads, head_dim, B.shape[3], dtype=torch.float64)
        if initial_state is not None:
            state = (
                initial_state.double() if cu_seqlens is None else initial_state[index : index + 1].double()
            )
        for t in range(start, stop):
            decay = torch.exp(step[:, t] * A)[..., None, None]
            state = decay * state + torch.einsum("bh,bhp,bhn->bhpn", step[:, t], x[:, t], B[:, t])
            y[:, t] = torch.einsum("bhpn,bhn->bhp", state, C[:, t]) + D[:, None] * x[:, t]
            if snapshot_at is not None and t + 1 in snapshot_at:
                snapshots.append(state)
        finals.append(state)
    taken = torch.stack(snapshots, 1) if snapshots else x.new_empty(batch, 0, heads, head_dim, B.shape[3])
    return y, torch.cat(finals), None if snapshot_at is None else taken
