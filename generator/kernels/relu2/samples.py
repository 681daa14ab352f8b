"""Calls that show whether the kernel gives what its twin gives on a GPU."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.architecture import architecture
from ragvl.generator.kernels.self_check import Sample

__all__ = ["samples"]

_FP8_ARCHITECTURE = 89


def samples(device: torch.device) -> tuple[Sample, ...]:
    """Return a width of several blocks and an odd one, and the step to float8 where the GPU has it."""
    source = torch.Generator(device=device).manual_seed(0)
    wide = torch.randn(3, 20480, generator=source, device=device).bfloat16()
    odd = torch.randn(2, 3, 99, generator=source, device=device).bfloat16()
    found = [
        Sample("20,480 wide", {"x": wide}, tolerance=4e-3),
        Sample("99 wide", {"x": odd}, tolerance=4e-3),
    ]
    if architecture(device) >= _FP8_ARCHITECTURE:
        scale = torch.full((1,), 0.013, device=device)
        found.append(Sample("float8", {"x": wide, "scale": scale}, tolerance=1e-3))
    return tuple(found)
