"""Calls that show whether the kernels give what their twin gives on a GPU."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.self_check import Sample

__all__ = ["samples"]

_BATCH, _HEADS, _KV_HEADS, _WIDTH, _CAPACITY = 2, 40, 8, 128, 1111


def samples(device: torch.device) -> tuple[Sample, ...]:
    """Return the model's heads over an empty, a short and a long cache, each with a new token."""
    source = torch.Generator(device=device).manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=source, device=device).bfloat16()

    found = []
    for lengths in ((0, 1), (63, 64), (1110, 700)):
        arguments = {
            "q": drawn(_BATCH, _HEADS, _WIDTH),
            "k_cache": drawn(_BATCH, _CAPACITY, _KV_HEADS, _WIDTH).transpose(1, 2),
            "v_cache": drawn(_BATCH, _CAPACITY, _KV_HEADS, _WIDTH).transpose(1, 2),
            "length": torch.tensor(lengths, dtype=torch.int32, device=device),
            "key": drawn(_BATCH, _KV_HEADS, _WIDTH),
            "value": drawn(_BATCH, _KV_HEADS, _WIDTH),
        }
        found.append(Sample(f"lengths {lengths[0]} and {lengths[1]}", arguments, tolerance=8e-3))
    return tuple(found)
