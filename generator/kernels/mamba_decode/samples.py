"""A call that the self-check makes with kernel and twin; head and state are as wide as the 12B model's."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.self_check import Sample

__all__ = ["samples"]

_HEADS, _HEAD_DIM, _GROUPS, _STATE = 8, 80, 2, 128
_CHANNELS = _HEADS * _HEAD_DIM + 2 * _GROUPS * _STATE


def samples(device: torch.device) -> tuple[Sample, ...]:
    """Return one step of two sequences at different places of their rings."""
    random = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=random).to(device)

    step = {
        "xBC": normal(2, _CHANNELS).bfloat16(),
        "dt": (normal(2, _HEADS) - 2).bfloat16(),
        "conv_ring": normal(2, _CHANNELS, 4).bfloat16(),
        "pos": torch.tensor([5, 8], dtype=torch.int32, device=device),
        "ssm_state": normal(2, _HEADS, _HEAD_DIM, _STATE),
        "w": normal(_CHANNELS, 4).bfloat16(),
        "b": normal(_CHANNELS).bfloat16(),
        "A": -torch.exp(normal(_HEADS)),
        "D": normal(_HEADS),
        "dt_bias": normal(_HEADS),
        "out": torch.full((2, _HEADS * _HEAD_DIM), float("nan"), dtype=torch.bfloat16, device=device),
    }
    return (Sample("one step of two sequences", step, 1e-2),)
