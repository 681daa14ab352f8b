"""The Mamba-2 layer: a short convolution, a recurrent state, a gated norm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch

from ragvl.generator.kernels.conv1d_prefill import conv1d_prefill
from ragvl.generator.kernels.gated_group_rmsnorm import gated_group_rmsnorm
from ragvl.generator.kernels.mamba_decode import mamba_decode
from ragvl.generator.kernels.ssd_prefill import ssd_prefill
from ragvl.generator.nemotron.language.layer import Trace
from ragvl.generator.nemotron.language.linear import Linear, Norm, fused
from ragvl.generator.nemotron.language.weights import Role, TensorSpec, Weights, linear_spec
from ragvl.generator.nemotron.settings import LanguageSettings
from ragvl.generator.nemotron.state import State

__all__ = ["MambaLayer"]


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    """The constants of a layer's recurrence, (heads,) float32 each, and of its convolution."""

    decay: torch.Tensor
    skip: torch.Tensor
    dt_bias: torch.Tensor
    conv_weight: torch.Tensor
    conv_bias: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class MambaLayer:
    """Carries a float32 state from token to token, and the last four inputs of its convolution."""

    norm: Norm
    input: Linear
    scan: _Scan
    output_norm: Norm
    output: Linear
    settings: LanguageSettings
    index: int

    @classmethod
    def tensors(cls, settings: LanguageSettings) -> Mapping[str, TensorSpec]:
        """What the layer needs from the checkpoint."""
        heads, channels = (settings.mamba_heads,), settings.conv_dim
        return {
            "in_proj.weight": linear_spec(settings.projection_size, settings.hidden_size),
            "conv1d.weight": TensorSpec((channels, 1, settings.conv_kernel)),
            "conv1d.bias": TensorSpec((channels,)),
            "dt_bias": TensorSpec(heads, Role.FLOAT32),
            "A_log": TensorSpec(heads, Role.FLOAT32),
            "D": TensorSpec(heads, Role.FLOAT32),
            "norm.weight": TensorSpec((settings.mamba_inner,)),
            "out_proj.weight": linear_spec(settings.hidden_size, settings.mamba_inner),
        }

    @classmethod
    def build(cls, settings: LanguageSettings, norm: Norm, mixer: Weights, index: int) -> Self:
        """Make the layer."""
        tensors = mixer.tensors
        scan = _Scan(
            decay=-torch.exp(tensors["A_log"]),
            skip=tensors["D"],
            dt_bias=tensors["dt_bias"],
            conv_weight=tensors["conv1d.weight"].squeeze(1),
            conv_bias=tensors["conv1d.bias"],
        )
        return cls(
            norm=norm,
            input=mixer.linears["in_proj.weight"],
            scan=scan,
            output_norm=Norm(tensors["norm.weight"], settings.norm_epsilon, settings.mamba_group_size),
            output=mixer.linears["out_proj.weight"],
            settings=settings,
            index=index,
        )

    def prefill(self, x: torch.Tensor, state: State, start: int, trace: Trace | None) -> torch.Tensor:
        """Read tokens."""
        gate, channels, dt = self._split(self.input.wide(x))
        if trace is not None:
            trace.inputs.append((channels, dt))
        y = self.advance(channels, dt, state, start, write=trace is None)
        norm, size = self.output_norm, self.settings.mamba_group_size
        return self.output.wide(gated_group_rmsnorm(y, gate, norm.weight, group_size=size, eps=norm.eps))

    def advance(
        self, channels: torch.Tensor, dt: torch.Tensor, state: State, start: int, *, write: bool = True
    ) -> torch.Tensor:
        """
        Take tokens into the recurrence.

        Args:
            channels: (slots, tokens, channels) before the convolution.
            dt: (slots, tokens, heads) before bias and softplus.
            state: where the recurrence stands.
            start: tokens that each slot has read before.
            write: move it on.

        Returns:
            (slots, tokens, inner), before the gated norm.
        """
        settings, scan = self.settings, self.scan
        window, recurrent = state.conv[self.index], state.ssm[self.index]
        mixed, _ = conv1d_prefill(
            channels,
            scan.conv_weight,
            scan.conv_bias,
            initial_state=window,
            final_state_out=window if write else None,
            start=start,
        )
        x, b, c = self._channels(mixed)
        y, _, _ = ssd_prefill(
            x,
            dt,
            scan.decay,
            b,
            c,
            D=scan.skip,
            dt_bias=scan.dt_bias,
            initial_state=recurrent,
            dt_limit=settings.dt_limit,
            final_state_out=recurrent if write else None,
        )
        return y.flatten(2)

    def decode(self, hidden: torch.Tensor, state: State) -> torch.Tensor:
        """Read one token a slot."""
        scan = self.scan
        gate, channels, dt = self._split(fused(self.input, hidden, norm=self.norm))
        y = torch.empty_like(gate, memory_format=torch.contiguous_format)
        mamba_decode(
            channels,
            dt,
            state.conv[self.index],
            state.lengths,
            state.ssm[self.index],
            scan.conv_weight,
            scan.conv_bias,
            scan.decay,
            scan.skip,
            scan.dt_bias,
            y,
            dt_limit=self.settings.dt_limit,
        )
        return fused(self.output, y, norm=self.output_norm, gate=gate, residual=hidden)

    def _split(self, projected: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Views of the projection: gate, convolution channels, time steps."""
        settings = self.settings
        gate, channels, dt = torch.split(
            projected, [settings.mamba_inner, settings.conv_dim, settings.mamba_heads], dim=-1
        )
        return gate, channels, dt

    def _channels(self, mixed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Views of the convolution's output: x by heads, B and C by groups."""
        settings = self.settings
        matrix = settings.mamba_groups * settings.state_size
        x, b, c = torch.split(mixed, [settings.mamba_inner, matrix, matrix], dim=-1)
        groups = (*b.shape[:-1], settings.mamba_groups, settings.state_size)
        heads = (*x.shape[:-1], settings.mamba_heads, settings.mamba_head_dim)
        return x.view(heads), b.view(groups), c.view(groups)
