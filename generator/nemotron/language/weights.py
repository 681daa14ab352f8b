"""What a layer asks of the checkpoint, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import torch

from ragvl.generator.nemotron.language.linear import Linear

__all__ = ["Role", "TensorSpec", "Weights", "linear_spec"]

_Value = TypeVar("_Value")


class Role(Enum):
    """How a tensor is held."""

    LINEAR = "linear"
    """The matrix of a linear layer; the checkpoint may hold it quantised."""
    PLAIN = "plain"
    """As stored, in the model's precision."""
    FLOAT32 = "float32"
    """In float32, whatever the model's precision."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor that a checkpoint has to hold: its shape there, and how it is held."""

    shape: tuple[int, ...]
    role: Role = Role.PLAIN


def linear_spec(out_features: int, in_features: int) -> TensorSpec:
    """The matrix of a linear layer."""
    return TensorSpec((out_features, in_features), Role.LINEAR)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """
    The tensors of one layer, or of the model, by their names below it.

    Attributes:
        tensors: of the roles `PLAIN` and `FLOAT32`.
        linears: of the role `LINEAR`.
    """

    tensors: Mapping[str, torch.Tensor]
    linears: Mapping[str, Linear]

    def below(self, prefix: str) -> Weights:
        """Those whose names begin with a prefix, without it."""
        return Weights(_below(self.tensors, prefix), _below(self.linears, prefix))


def _below(named: Mapping[str, _Value], prefix: str) -> dict[str, _Value]:
    return {name.removeprefix(prefix): value for name, value in named.items() if name.startswith(prefix)}
