"""
The scan in plain PyTorch, for every device: what runs where there is no Triton, and what kernels are checked against.

A prompt is walked in chunks. Within a chunk the recurrence is a masked matrix product; between chunks the state is
carried (README.md has the derivation). On a CPU the walk is done for one group of heads at a time, so that its
state and all temporaries stay in the second-level cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch

from ragvl.generator.kernels.ssd_prefill.decays import Decays
from ragvl.generator.kernels.ssd_prefill.walk import Walk, blocks_of

__all__ = ["ssd_prefill"]

_CHUNK = {"cpu": 32}
_CHUNK_ELSEWHERE = 128
"""Tokens in a chunk: more cost more products within chunks, fewer cost more passes over the states, and launches."""


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
    """Return y, the final state and the snapshots; see the package's function for the arguments."""
    batch, length, heads, head_dim = x.shape
    groups, state_size = B.shape[2:]
    precise = torch.float64 if x.dtype == torch.float64 else torch.float32
    bounds = [0, length] if cu_seqlens is None else cu_seqlens.tolist()
    places = [(row, start, stop) for row in range(batch) for start, stop in pairwise(bounds)]
    state = (heads, head_dim, state_size)
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device) if out is None else out
    final = final_state_out
    if final is None:
        final = torch.empty((len(places), *state), dtype=precise, device=x.device)
    stops = tuple(snapshot_at or ())
    taken = torch.empty((batch, len(stops), *state), dtype=precise, device=x.device)
    for index, (row, start, stop) in enumerate(places):
        span = slice(start, stop)
        chunks = _chunks(stop - start, stops, _CHUNK.get(x.device.type, _CHUNK_ELSEWHERE))
        decays = Decays.of(dt[row, span], A, dt_bias, dt_limit, chunks, precise)
        for block in blocks_of(heads, groups, head_dim * state_size, x.device):
            walk = Walk(block, x[row, span], B[row, span], C[row, span], D, decays, y[row, span])
            walk.begin(None if initial_state is None else initial_state[index, block.heads])
            for chunk, (_, last) in enumerate(decays.chunks):
                walk.step(chunk)
                if last in stops:
                    walk.store(taken[row, stops.index(last), block.heads])
            walk.store(final[index, block.heads])
    return y, final, None if snapshot_at is None else taken


def _chunks(length: int, stops: Sequence[int], tokens: int) -> tuple[tuple[int, int], ...]:
    """Cut a sequence into chunks of so many tokens at most, none of which crosses a stop."""
    cuts = sorted({0, length, *stops})
    return tuple(
        (first, min(first + tokens, stop))
        for start, stop in pairwise(cuts)
        for first in range(start, stop, tokens)
    )
