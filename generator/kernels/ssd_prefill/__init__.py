"""The selective scan of a Mamba-2 layer over a whole prompt (SSD), with the state it ends in."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ragvl.generator.kernels.choice import choose
from ragvl.generator.kernels.ssd_prefill.sizes import kernel_fits, sizes_of

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
    out: torch.Tensor | None = None,
    final_state_out: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """
    Run the recurrence of a Mamba-2 layer and return its outputs, the last state and the states asked for on the way.

    Per head, with `step = clamp(softplus(dt + dt_bias), *dt_limit)`:

        state[t] = exp(step[t] * A) * state[t - 1] + step[t] * outer(x[t], B[t])
        y[t]     = state[t] @ C[t] + D * x[t]

    Steps, decays, states and sums are float32 (float64 when `x` is). Any view whose last axis is contiguous is
    read in place.

    Args:
        x: (batch, length, heads, head_dim) bfloat16, float16 or float32: the input after convolution.
        dt: (batch, length, heads): the time step before bias and softplus.
        A: (heads,) float32, negative.
        B, C: (batch, length, groups, state_size), dtype of `x`: input and output matrices; head h belongs to group
            `h // (heads // groups)`.
        D: (heads,) float32: the skip connection; None for none.
        dt_bias: (heads,) float32, or None.
        initial_state: (sequences, heads, head_dim, state_size): the state before the first token; None for zeros.
            There are `batch` sequences, or as many as `cu_seqlens` bounds.
        cu_seqlens: (sequences + 1,) int32 or int64, from 0 to `length`: several sequences one after the other in a
            batch of one; the state starts anew at each.
        dt_limit: least and greatest step.
        snapshot_at: numbers of tokens, ascending, each from 1 to `length`: the states after that many tokens are
            returned (the cache of a prefix). Not together with `cu_seqlens`.
        out: where y goes; a new contiguous tensor when None.
        final_state_out: where the last state goes; may be `initial_state` itself. A new float32 tensor when None.

    Returns:
        y (batch, length, heads, head_dim) in the dtype of `x`; the final state (sequences, heads, head_dim,
        state_size) float32; the snapshots (batch, snapshots, heads, head_dim, state_size) float32, or None.

    Raises:
        ValueError: shapes that do not belong together, or snapshots out of range.
    """
    states = (initial_state, final_state_out)
    sizes = sizes_of(x, dt, A, B, C, D, dt_bias, states, cu_seqlens, snapshot_at, out)
    run = choose("ssd_prefill", x.device, fits=kernel_fits(sizes, x.dtype, out, final_state_out))
    result: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None] = run(
        x,
        dt,
        A,
        B,
        C,
        D=D,
        dt_bias=dt_bias,
        initial_state=initial_state,
        cu_seqlens=cu_seqlens,
        dt_limit=dt_limit,
        snapshot_at=snapshot_at,
        out=out,
        final_state_out=final_state_out,
    )
    return result
