"""Inputs of a Mamba-2 layer as the input projection leaves them: slices of one buffer, with NaN all around."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["LARGE", "NARROW", "SINGLE", "SMALL", "Layer", "relative"]


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the relative L2 distance; infinite where something is not finite."""
    if not bool(found.isfinite().all()):
        return float("inf")
    return float((found.double() - expected.double()).norm() / expected.double().norm().clamp_min(1e-300))


@dataclass(frozen=True)
class Layer:
    """Sizes of a layer, and draws of everything that it works on."""

    heads: int
    head_dim: int
    groups: int
    state_size: int
    dtype: torch.dtype = torch.float32

    @property
    def inner(self) -> int:
        """Channels of x."""
        return self.heads * self.head_dim

    @property
    def channels(self) -> int:
        """Channels of x, B and C."""
        return self.inner + 2 * self.groups * self.state_size

    def random(self, *shape: int, seed: int = 1) -> torch.Tensor:
        """Draw normal float32 numbers."""
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed))

    def projected(self, length: int, batch: int = 1, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Return xBC (batch, length, channels) and dt (batch, length, heads); z and what follows the prompt are NaN."""
        width = self.inner + self.channels + self.heads
        buffer = torch.full((batch, length + 5, width), float("nan"), dtype=self.dtype)
        drawn = self.random(batch, length, width - self.inner, seed=seed)
        drawn[..., -self.heads :] -= 2
        buffer[:, :length, self.inner :] = drawn.to(self.dtype)
        prompt = buffer[:, :length]
        return prompt[..., self.inner : -self.heads], prompt[..., -self.heads :]

    def parted(self, xBC: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """View x, B and C in the channels."""
        states = self.groups * self.state_size
        x, B, C = torch.split(xBC, [self.inner, states, states], -1)
        grouped = (self.groups, self.state_size)
        return (
            torch.unflatten(x, -1, (self.heads, self.head_dim)),
            torch.unflatten(B, -1, grouped),
            torch.unflatten(C, -1, grouped),
        )

    def scan(self, length: int, batch: int = 1) -> dict[str, torch.Tensor]:
        """Return the arguments of a scan."""
        xBC, dt = self.projected(length, batch)
        x, B, C = self.parted(xBC)
        return {"x": x, "dt": dt, "B": B, "C": C, **self.rates()}

    def rates(self) -> dict[str, torch.Tensor]:
        """Return A, D and dt_bias."""
        A = -torch.exp(self.random(self.heads, seed=2))
        return {"A": A, "D": self.random(self.heads, seed=3), "dt_bias": self.random(self.heads, seed=4)}

    def state(self, sequences: int = 1) -> torch.Tensor:
        """Draw states."""
        return self.random(sequences, self.heads, self.head_dim, self.state_size, seed=5)

    def convolution(self) -> dict[str, torch.Tensor]:
        """Return w and b."""
        return {"w": self.random(self.channels, 4, seed=6) / 2, "b": self.random(self.channels, seed=7)}


LARGE = Layer(16, 80, 8, 128)
SMALL = Layer(4, 80, 1, 32)
SINGLE = Layer(2, 64, 1, 16)
NARROW = Layer(8, 16, 8, 16)
