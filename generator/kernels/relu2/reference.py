"""Squared ReLU in float64: the truth that the other two forms are compared with."""

from __future__ import annotations

import torch


def relu2(x: torch.Tensor) -> torch.Tensor:
    """Return `max(x, 0)` squared, (...) float64, for `x` of any shape and float dtype."""
    return x.double().clamp(min=0.0).square()
