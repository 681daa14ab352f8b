"""Calls that show whether the kernel gives what its twin gives on a GPU."""

from __future__ import annotations

from typing import Any

import torch

from ragvl.generator.kernels.self_check import Sample

__all__ = ["samples"]


def samples(device: torch.device) -> tuple[Sample, ...]:
    """Return the model's width with and without an addition, and a width that is no power of two."""
    source = torch.Generator(device=device).manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=source, device=device).bfloat16()

    cases: dict[str, dict[str, Any]] = {
        "5,120 wide": {"x": drawn(5, 5120), "residual": drawn(5, 5120), "weight": drawn(5120)},
        "nothing to add": {"x": drawn(5, 5120), "residual": None, "weight": drawn(5120)},
        "100 wide": {"x": drawn(2, 3, 100), "residual": drawn(2, 3, 100), "weight": drawn(100)},
    }
    return tuple(Sample(name, arguments, tolerance=6e-3) for name, arguments in cases.items())
