"""The table of layer kinds, by the letter that the checkpoint's pattern has for each."""

from __future__ import annotations

from collections.abc import Mapping

from ragvl.generator.nemotron.language.attention import AttentionLayer
from ragvl.generator.nemotron.language.layer import Layer
from ragvl.generator.nemotron.language.mamba import MambaLayer
from ragvl.generator.nemotron.language.mlp import MlpLayer

__all__ = ["LAYER_KINDS"]

LAYER_KINDS: Mapping[str, type[Layer]] = {"M": MambaLayer, "-": MlpLayer, "*": AttentionLayer}
"""A mixture of experts ("E") is one more row, and one more letter that `settings` lets through."""
