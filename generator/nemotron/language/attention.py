"""The attention layer: grouped queries, causal, without positional encoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch.nn.attention.bias import causal_lower_right

from ragvl.generator.kernels.decode_attention import decode_attention
from ragvl.generator.nemotron.language.layer import Trace
from ragvl.generator.nemotron.language.linear import Linear, Norm, fused, stack
from ragvl.generator.nemotron.language.weights import TensorSpec, Weights, linear_spec
from ragvl.generator.nemotron.settings import LanguageSettings
from ragvl.generator.nemotron.state import State

__all__ = ["AttentionLayer"]


@dataclass(frozen=True, slots=True, eq=False)
class AttentionLayer:
    """Reads from the keys and values of all tokens so far; scores are scaled by head_dim ** -0.5."""

    norm: Norm
    qkv: Linear
    output: Linear
    heads: int
    key_value_heads: int
    head_dim: int
    index: int

    @classmethod
    def tensors(cls, settings: LanguageSettings) -> Mapping[str, TensorSpec]:
        """What the layer needs from the checkpoint."""
        queries = settings.attention_heads * settings.attention_head_dim
        keys = settings.key_value_heads * settings.attention_head_dim
        return {
            "q_proj.weight": linear_spec(queries, settings.hidden_size),
            "k_proj.weight": linear_spec(keys, settings.hidden_size),
            "v_proj.weight": linear_spec(keys, settings.hidden_size),
            "o_proj.weight": linear_spec(settings.hidden_size, queries),
        }

    @classmethod
    def build(cls, settings: LanguageSettings, norm: Norm, mixer: Weights, index: int) -> Self:
        """Make the layer."""
        return cls(
            norm=norm,
            qkv=stack([mixer.linears[f"{name}_proj.weight"] for name in "qkv"]),
            output=mixer.linears["o_proj.weight"],
            heads=settings.attention_heads,
            key_value_heads=settings.key_value_heads,
            head_dim=settings.attention_head_dim,
            index=index,
        )

    def prefill(self, x: torch.Tensor, state: State, start: int, trace: Trace | None) -> torch.Tensor:
        """Read tokens; keys and values are stored even under a trace, beyond the state's lengths."""
        stop = start + x.shape[1]
        query, key, value = self._heads(self.qkv.wide(x))
        keys, values = state.keys[self.index, :, :, :stop], state.values[self.index, :, :, :stop]
        keys[:, :, start:] = key.transpose(1, 2)
        values[:, :, start:] = value.transpose(1, 2)
        attended = self._attend(query.transpose(1, 2), keys, values)
        return self.output.wide(attended.transpose(1, 2).flatten(2))

    def decode(self, hidden: torch.Tensor, state: State) -> torch.Tensor:
        """Read one token a slot."""
        query, key, value = self._heads(fused(self.qkv, hidden, norm=self.norm))
        attended = decode_attention(
            query, state.keys[self.index], state.values[self.index], state.lengths, key=key, value=value
        )
        return fused(self.output, attended.flatten(1), residual=hidden)

    def _heads(self, qkv: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Split the projection into query, key and value, (..., heads, head dim) each."""
        heads = qkv.view(*qkv.shape[:-1], -1, self.head_dim)
        counts = [self.heads, self.key_value_heads, self.key_value_heads]
        query, key, value = torch.split(heads, counts, dim=-2)
        return query, key, value

    def _attend(self, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        tokens, total = query.shape[2], keys.shape[2]
        if tokens == total:
            return F.scaled_dot_product_attention(query, keys, values, is_causal=True, enable_gqa=True)
        if query.is_cuda and query.dtype != torch.float32:
            # Flash attention masks by itself; a mask for a long text would take gigabytes.
            bias = causal_lower_right(tokens, total)
            return F.scaled_dot_product_attention(query, keys, values, attn_mask=bias, enable_gqa=True)
        mask = torch.ones(tokens, total, dtype=torch.bool, device=query.device).tril(total - tokens)
        return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, enable_gqa=True)
