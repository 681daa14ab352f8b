"""Calls that the self-check makes with kernel and twin; head and state are as wide as the 12B model's."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.self_check import Sample

__all__ = ["samples"]

_HEADS, _HEAD_DIM, _GROUPS, _STATE = 8, 80, 2, 128


def samples(device: torch.device) -> tuple[Sample, ...]:
    """Return a prompt that ends within a chunk, from a state, with a snapshot; and packed sequences."""
    random = torch.Generator().manual_seed(0)
    plain = _inputs(random, 150, device)
    states = torch.randn(2, _HEADS, _HEAD_DIM, _STATE, generator=random).to(device)
    packed = {
        "initial_state": states,
        "cu_seqlens": torch.tensor([0, 3, 150], dtype=torch.int32, device=device),
    }
    from_state = {"initial_state": states[:1], "snapshot_at": (70,)}
    return (
        Sample("a prompt from a state", {**plain, **from_state}, 1e-2),
        Sample("packed sequences", {**plain, **packed}, 1e-2),
    )


def _inputs(random: torch.Generator, length: int, device: torch.device) -> dict[str, torch.Tensor]:
    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=random).to(device)

    return {
        "x": normal(1, length, _HEADS, _HEAD_DIM).bfloat16(),
        "dt": (normal(1, length, _HEADS) - 2).bfloat16(),
        "A": -torch.exp(normal(_HEADS)),
        "B": normal(1, length, _GROUPS, _STATE).bfloat16(),
        "C": normal(1, length, _GROUPS, _STATE).bfloat16(),
        "D": normal(_HEADS),
        "dt_bias": normal(_HEADS),
    }
