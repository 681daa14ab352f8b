"""What every kind of layer can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

import torch

from ragvl.generator.nemotron.language.linear import Norm
from ragvl.generator.nemotron.language.weights import TensorSpec, Weights
from ragvl.generator.nemotron.settings import LanguageSettings
from ragvl.generator.nemotron.state import State

__all__ = ["Layer", "Trace"]


@dataclass(slots=True, eq=False)
class Trace:
    """
    What tokens put into the Mamba layers, so that some of them can be taken in later, or none.

    Attributes:
        start: tokens read before them.
        inputs: of each Mamba layer in order: convolution channels (slots, tokens, channels) and time steps
            (slots, tokens, heads).
    """

    start: int
    inputs: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)


class Layer(Protocol):
    """One layer of the residual stream."""

    @property
    def norm(self) -> Norm:
        """Before the layer."""

    @classmethod
    def tensors(cls, settings: LanguageSettings) -> Mapping[str, TensorSpec]:
        """What the layer's `mixer` needs, by the checkpoint's names below it."""

    @classmethod
    def build(cls, settings: LanguageSettings, norm: Norm, mixer: Weights, index: int) -> Self:
        """Make the layer; `index` counts the layers of its kind."""

    def prefill(self, x: torch.Tensor, state: State, start: int, trace: Trace | None) -> torch.Tensor:
        """
        Read tokens, and return what they add to the residual stream.

        Args:
            x: (slots, tokens, hidden), normalised.
            state: of those slots; moved on, unless there is a trace.
            start: tokens that each slot has read before.
            trace: takes what would move the recurrent state on.
        """

    def decode(self, hidden: torch.Tensor, state: State) -> torch.Tensor:
        """Read one token a slot: from the residual stream (slots, hidden) to the stream after this layer."""
