"""A copy of what the model remembers after a number of tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["Snapshot"]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """
    What one request remembers after `length` tokens.

    Attributes:
        length: tokens read.
        keys, values: (attention layers, key-value heads, length, head dim).
        ssm: (Mamba layers, heads, head dim, state) float32.
        conv: (Mamba layers, channels, 4), the last inputs of each convolution, that of position t at t modulo 4.
    """

    length: int
    keys: torch.Tensor
    values: torch.Tensor
    ssm: torch.Tensor
    conv: torch.Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in (self.keys, self.values, self.ssm, self.conv))

    def to(self, device: torch.device | str) -> Snapshot:
        """Copy to another device; itself when it is there already."""
        return Snapshot(
            self.length,
            self.keys.to(device),
            self.values.to(device),
            self.ssm.to(device),
            self.conv.to(device),
        )
