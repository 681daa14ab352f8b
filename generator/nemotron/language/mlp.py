"""The MLP layer: up, squared ReLU, down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch

from ragvl.generator.nemotron.language.layer import Trace
from ragvl.generator.nemotron.language.linear import Linear, Norm, fused, squared_wide
from ragvl.generator.nemotron.language.weights import TensorSpec, Weights, linear_spec
from ragvl.generator.nemotron.settings import LanguageSettings
from ragvl.generator.nemotron.state import State

__all__ = ["MlpLayer"]


@dataclass(frozen=True, slots=True, eq=False)
class MlpLayer:
    """Widens each token, squares what is positive, and narrows it again; remembers nothing."""

    norm: Norm
    up: Linear
    down: Linear

    @classmethod
    def tensors(cls, settings: LanguageSettings) -> Mapping[str, TensorSpec]:
        """What the layer needs from the checkpoint."""
        return {
            "up_proj.weight": linear_spec(settings.intermediate_size, settings.hidden_size),
            "down_proj.weight": linear_spec(settings.hidden_size, settings.intermediate_size),
        }

    @classmethod
    def build(cls, settings: LanguageSettings, norm: Norm, mixer: Weights, index: int) -> Self:
        """Make the layer."""
        return cls(norm, mixer.linears["up_proj.weight"], mixer.linears["down_proj.weight"])

    def prefill(self, x: torch.Tensor, state: State, start: int, trace: Trace | None) -> torch.Tensor:
        """Read tokens."""
        return squared_wide(self.down, self.up.wide(x))

    def decode(self, hidden: torch.Tensor, state: State) -> torch.Tensor:
        """Read one token a slot."""
        wide = fused(self.up, hidden, norm=self.norm, activation="relu2")
        return fused(self.down, wide, residual=hidden)
