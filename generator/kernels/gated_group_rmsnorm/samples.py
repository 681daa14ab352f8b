"""Calls that show whether the kernel gives what its twin gives on a GPU."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.self_check import Sample

__all__ = ["samples"]


def samples(device: torch.device) -> tuple[Sample, ...]:
    """Return the model's groups, read from a slice of a wider buffer, and a width that is no power of two."""
    source = torch.Generator(device=device).manual_seed(0)
    found = []
    for name, channels, group_size in (("groups of 1,280", 2560, 1280), ("groups of 100", 300, 100)):
        buffer = torch.randn(5, 2 * channels + 64, generator=source, device=device).bfloat16()
        arguments = {
            "y": torch.randn(5, channels, generator=source, device=device).bfloat16(),
            "gate": buffer[:, 64 : 64 + channels],
            "weight": torch.rand(channels, generator=source, device=device).bfloat16(),
            "group_size": group_size,
        }
        found.append(Sample(name, arguments, tolerance=6e-3))
    return tuple(found)
