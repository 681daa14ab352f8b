"""Calls that show whether the kernels give what their twin gives on a GPU."""

from __future__ import annotations

from typing import Any

import torch

from ragvl.generator.kernels.self_check import Sample

__all__ = ["samples"]

_WIDTH, _OUT_WIDTH, _GROUP = 2560, 333, 1280


def samples(device: torch.device) -> tuple[Sample, ...]:
    """Return one row and several, every prologue and epilogue, in bfloat16 and in float8."""
    source = torch.Generator(device=device).manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=source, device=device).bfloat16()

    weight = drawn(_OUT_WIDTH, _WIDTH)
    narrow = weight.to(torch.float8_e4m3fn)
    found = []
    for rows in (1, 3, 8):
        norm = {"norm_weight": drawn(_WIDTH)}
        forms: dict[str, dict[str, Any]] = {
            "plain": {"weight": weight},
            "norm, squared ReLU": {"weight": weight, "activation": "relu2", **norm},
            "gated norm, residual": {
                "weight": weight,
                "gate": drawn(rows, 2 * _WIDTH)[:, :_WIDTH],
                "group_size": _GROUP,
                "residual": drawn(rows, _OUT_WIDTH),
                **norm,
            },
            "float8": {"weight": narrow, "scale": torch.full((1,), 0.37, device=device), **norm},
        }
        for name, form in forms.items():
            arguments = {"x": drawn(rows, _WIDTH), **form}
            found.append(Sample(f"{name}, rows: {rows}", arguments, tolerance=1.2e-2))
    return tuple(found)
