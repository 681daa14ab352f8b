"""Calls that the self-check makes with kernel and twin."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.self_check import Sample

__all__ = ["samples"]

_CHANNELS = 700


def samples(device: torch.device) -> tuple[Sample, ...]:
    """Return a prompt that continues a ring, and packed sequences, one of them shorter than the window."""
    random = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=random).bfloat16().to(device)

    plain = {"xBC": normal(1, 90, _CHANNELS), "w": normal(_CHANNELS, 4), "b": normal(_CHANNELS)}
    bounds = torch.tensor([0, 2, 90], dtype=torch.int32, device=device)
    return (
        Sample("a prompt from a ring", {**plain, "initial_state": normal(1, _CHANNELS, 4), "start": 7}, 1e-2),
        Sample("packed sequences", {**plain, "cu_seqlens": bounds}, 1e-2),
    )
