"""The hybrid language model: embeddings, layers, head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ragvl.generator.kernels.residual_rmsnorm import residual_rmsnorm
from ragvl.generator.nemotron.language.kinds import LAYER_KINDS
from ragvl.generator.nemotron.language.layer import Layer, Trace
from ragvl.generator.nemotron.language.linear import Linear, Norm, fused
from ragvl.generator.nemotron.language.mamba import MambaLayer
from ragvl.generator.nemotron.language.weights import TensorSpec, Weights, linear_spec
from ragvl.generator.nemotron.settings import LanguageSettings
from ragvl.generator.nemotron.state import State

__all__ = ["LanguageModel", "tensor_table"]


def tensor_table(settings: LanguageSettings) -> Mapping[str, TensorSpec]:
    """Every tensor of the language model by its own name: `embeddings.weight`, `layers.0.mixer.in_proj.weight`, ..."""
    table = {
        "embeddings.weight": TensorSpec((settings.vocab_size, settings.hidden_size)),
        "norm_f.weight": TensorSpec((settings.hidden_size,)),
        "lm_head.weight": linear_spec(settings.vocab_size, settings.hidden_size),
    }
    for number, letter in enumerate(settings.pattern):
        table[f"layers.{number}.norm.weight"] = TensorSpec((settings.hidden_size,))
        mixer = LAYER_KINDS[letter].tensors(settings)
        table |= {f"layers.{number}.mixer.{name}": spec for name, spec in mixer.items()}
    return table


@dataclass(frozen=True, slots=True, eq=False)
class LanguageModel:
    """
    The model without what it remembers, which is a `State`.

    Every method moves the state on by what it reads. Nothing here draws, stops or counts requests.
    """

    settings: LanguageSettings
    embeddings: torch.Tensor
    layers: Sequence[Layer]
    norm: Norm
    head: Linear

    @classmethod
    def build(cls, settings: LanguageSettings, weights: Weights) -> LanguageModel:
        """Assemble the model from the tensors that `tensor_table` names."""
        seen: Counter[str] = Counter()
        layers: list[Layer] = []
        for number, letter in enumerate(settings.pattern):
            own = weights.below(f"layers.{number}.")
            norm = Norm(own.tensors["norm.weight"], settings.norm_epsilon)
            layers.append(LAYER_KINDS[letter].build(settings, norm, own.below("mixer."), seen[letter]))
            seen[letter] += 1
        norm = Norm(weights.tensors["norm_f.weight"], settings.norm_epsilon)
        head = weights.linears["lm_head.weight"]
        return cls(settings, weights.tensors["embeddings.weight"], tuple(layers), norm, head)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embeddings.device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the residual stream."""
        return self.embeddings.dtype

    def new_state(self, slots: int, capacity: int) -> State:
        """Allocate what so many requests of so many tokens need."""
        return State(self.settings, slots, capacity, self.device, self.dtype)

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Look up tokens: (...) int64 to (..., hidden)."""
        return F.embedding(ids, self.embeddings)

    def prefill(
        self,
        embeds: torch.Tensor,
        state: State,
        start: int,
        *,
        keep: int = 1,
        trace: Trace | None = None,
    ) -> torch.Tensor:
        """
        Read tokens, the same number in each slot, and return the logits of the last `keep` of them.

        Args:
            embeds: (slots, tokens, hidden), from `embed`, or with features in the place of placeholders.
            state: of those slots.
            start: tokens that each slot has read before.
            keep: how many of the last tokens to return logits for; 0 for none.
            trace: leave the state as it is, keys and values beyond its lengths aside, and note here what would
                move it on, for `take_in`.

        Returns:
            (slots, keep, vocabulary) float32.
        """
        residual, delta = embeds, None
        for layer in self.layers:
            normed, residual = _add_and_norm(delta, residual, layer.norm)
            delta = layer.prefill(normed, state, start, trace)
        if trace is None:
            state.lengths += embeds.shape[1]
        slots, tokens, _ = embeds.shape
        if not keep:
            return torch.empty(slots, 0, self.settings.vocab_size, device=embeds.device)
        tail = slice(tokens - keep, tokens)
        normed, _ = _add_and_norm(None if delta is None else delta[:, tail], residual[:, tail], self.norm)
        return self.head.wide(normed).float()

    def take_in(self, trace: Trace, count: int, state: State) -> None:
        """Move the state on by the first `count` tokens of a traced prefill."""
        layers = [layer for layer in self.layers if isinstance(layer, MambaLayer)]
        for layer, (channels, dt) in zip(layers, trace.inputs, strict=True):
            layer.advance(channels[:, :count], dt[:, :count], state, trace.start)
        state.lengths += count

    def decode(
        self, ids: torch.Tensor, state: State, active: torch.Tensor, logits: torch.Tensor
    ) -> torch.Tensor:
        """
        Read one token a slot; no sizes come to the host, so that a CUDA graph can hold it.

        Args:
            ids: (slots,) int64.
            state: of those slots.
            active: (slots,) int32: 1, or 0 for a slot whose length stands still; its recurrent state is then junk.
            logits: (slots, vocabulary) float32, written.

        Returns:
            `logits`.
        """
        hidden = self.embed(ids)
        for layer in self.layers:
            hidden = layer.decode(hidden, state)
        state.lengths += active
        return fused(self.head, hidden, norm=self.norm, out=logits)


def _add_and_norm(
    delta: torch.Tensor | None, residual: torch.Tensor, norm: Norm
) -> tuple[torch.Tensor, torch.Tensor]:
    if delta is None:
        return residual_rmsnorm(residual, None, norm.weight, eps=norm.eps)
    return residual_rmsnorm(delta, residual, norm.weight, eps=norm.eps)
