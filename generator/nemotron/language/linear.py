"""Linear layers without bias, in full or 8-bit precision, for many rows and for a few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
import torch.nn.functional as F

from ragvl.generator.kernels.gated_group_rmsnorm import gated_group_rmsnorm
from ragvl.generator.kernels.gemv import MAX_ROWS, gemv
from ragvl.generator.kernels.relu2 import relu2
from ragvl.generator.kernels.residual_rmsnorm import residual_rmsnorm

__all__ = [
    "Activation",
    "DenseLinear",
    "Fp8Linear",
    "Linear",
    "Norm",
    "StackedLinear",
    "fused",
    "squared_wide",
    "stack",
]

Activation = Literal["none", "relu2"]
_FP8_MAX = 448.0
_NO_SCALE = 1e-12  # rows of zeros are divided by this


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """
    The root-mean-square norm before a matrix.

    Attributes:
        weight: (in_features,).
        eps: added to the mean square.
        group_size: channels that are normalised together; None for all of them.
    """

    weight: torch.Tensor
    eps: float
    group_size: int | None = None


class Linear(Protocol):
    """A matrix (out_features, in_features) that rows are multiplied with."""

    @property
    def out_features(self) -> int:
        """Width of the result."""

    def wide(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply any number of rows, (..., in_features) to (..., out_features)."""

    def thin(
        self,
        x: torch.Tensor,
        norm: Norm | None,
        gate: torch.Tensor | None,
        activation: Activation,
        residual: torch.Tensor | None,
        out: torch.Tensor | None,
    ) -> torch.Tensor:
        """Do what `fused` does for at most `MAX_ROWS` rows, in as few launches as it takes."""


@dataclass(frozen=True, slots=True, eq=False)
class DenseLinear:
    """A matrix in the model's precision."""

    weight: torch.Tensor

    @property
    def out_features(self) -> int:
        """Width of the result."""
        return self.weight.shape[0]

    def wide(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply any number of rows; a few as a decode step does."""
        rows = x.reshape(-1, x.shape[-1])
        if rows.shape[0] > MAX_ROWS:
            return F.linear(x, self.weight)
        return gemv(rows, self.weight).view(*x.shape[:-1], self.out_features)

    def thin(
        self,
        x: torch.Tensor,
        norm: Norm | None,
        gate: torch.Tensor | None,
        activation: Activation,
        residual: torch.Tensor | None,
        out: torch.Tensor | None,
    ) -> torch.Tensor:
        """Multiply a few rows."""
        if x.device.type == "cpu" and x.dtype == torch.float32:
            return _on_cpu(x, self.weight, norm, gate, activation, residual, out)
        return _gemv(x, self.weight, None, norm, gate, activation, residual, out)


@dataclass(frozen=True, slots=True, eq=False)
class Fp8Linear:
    """
    A matrix in 8 bits; many rows are rounded to 8 bits, too, a few are not.

    Attributes:
        weight: (out_features, in_features) float8_e4m3fn; both are multiples of 16.
        scale: one float32; the matrix is `weight * scale`.
        input_scale: one float32, by which rows are divided before rounding; None measures each call's rows.
    """

    weight: torch.Tensor
    scale: torch.Tensor
    input_scale: torch.Tensor | None

    @property
    def out_features(self) -> int:
        """Width of the result."""
        return self.weight.shape[0]

    def wide(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply any number of rows: many in 8 bits, a few as a decode step does."""
        rows = x.reshape(-1, x.shape[-1])
        if rows.shape[0] <= MAX_ROWS:
            return gemv(rows, self.weight, scale=self.scale).view(*x.shape[:-1], self.out_features)
        scale = self.input_scale
        if scale is None:
            scale = (rows.abs().amax().float() / _FP8_MAX).clamp(min=_NO_SCALE)
        narrow = (rows.float() / scale).clamp_(-_FP8_MAX, _FP8_MAX).to(torch.float8_e4m3fn)
        return self.multiply(narrow, scale, x.dtype).view(*x.shape[:-1], self.out_features)

    def multiply(self, rows: torch.Tensor, scale: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Multiply `rows * scale`, (n, in_features) float8_e4m3fn, in 8 bits; the result has the given dtype."""
        return torch._scaled_mm(rows, self.weight.t(), scale_a=scale, scale_b=self.scale, out_dtype=dtype)

    def thin(
        self,
        x: torch.Tensor,
        norm: Norm | None,
        gate: torch.Tensor | None,
        activation: Activation,
        residual: torch.Tensor | None,
        out: torch.Tensor | None,
    ) -> torch.Tensor:
        """Multiply a few rows, which keep their precision."""
        return _gemv(x, self.weight, self.scale, norm, gate, activation, residual, out)


@dataclass(frozen=True, slots=True, eq=False)
class StackedLinear:
    """Matrices of one input, each with its own scale; the results stand side by side."""

    parts: tuple[Linear, ...]

    @property
    def out_features(self) -> int:
        """Width of the result."""
        return sum(part.out_features for part in self.parts)

    def wide(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply any number of rows."""
        return torch.cat([part.wide(x) for part in self.parts], dim=-1)

    def thin(
        self,
        x: torch.Tensor,
        norm: Norm | None,
        gate: torch.Tensor | None,
        activation: Activation,
        residual: torch.Tensor | None,
        out: torch.Tensor | None,
    ) -> torch.Tensor:
        """Multiply a few rows."""
        joined = x.new_empty(x.shape[0], self.out_features) if out is None else out
        first = 0
        for part in self.parts:
            columns = slice(first, first := first + part.out_features)
            added = None if residual is None else residual[:, columns]
            part.thin(x, norm, gate, activation, added, joined[:, columns])
        return joined


def squared_wide(linear: Linear, x: torch.Tensor) -> torch.Tensor:
    """Multiply the squares of the positive part of `x`, which is overwritten: (..., in_features)."""
    rows = x.view(-1, x.shape[-1])
    if isinstance(linear, Fp8Linear) and linear.input_scale is not None and rows.shape[0] > MAX_ROWS:
        narrow = relu2(rows, scale=linear.input_scale)
        product = linear.multiply(narrow, linear.input_scale, x.dtype)
        return product.view(*x.shape[:-1], linear.out_features)
    return linear.wide(relu2(x, out=x))


def stack(parts: Sequence[Linear]) -> Linear:
    """Join matrices of one input: into one matrix where none is quantised."""
    dense = [part.weight for part in parts if isinstance(part, DenseLinear)]
    return DenseLinear(torch.cat(dense)) if len(dense) == len(parts) else StackedLinear(tuple(parts))


def fused(
    linear: Linear,
    x: torch.Tensor,
    *,
    norm: Norm | None = None,
    gate: torch.Tensor | None = None,
    activation: Activation = "none",
    residual: torch.Tensor | None = None,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    """
    Return `activation(norm(x) @ matrix.T) + residual`, as a decode step needs it.

    Args:
        x: (rows, in_features); more than `MAX_ROWS` rows take one launch for each step.
        norm: applied first.
        gate: (rows, in_features), with `norm`: `x * silu(gate)` is what is normalised.
        activation: "relu2" squares the positive part of the product.
        residual: (rows, out_features), added last.
        out: (rows, out_features), any float dtype. A new tensor of the dtype of `x` when None.
    """
    if x.shape[0] <= MAX_ROWS:
        return linear.thin(x, norm, gate, activation, residual, out)
    if norm is not None and gate is not None:
        size = norm.group_size or x.shape[1]
        x = gated_group_rmsnorm(x, gate, norm.weight, group_size=size, eps=norm.eps)
    elif norm is not None:
        x, _ = residual_rmsnorm(x, None, norm.weight, eps=norm.eps)
    product = linear.wide(x)
    if activation == "relu2":
        product = relu2(product, out=product)
    if residual is not None:
        product = product + residual
    return product if out is None else out.copy_(product)


def _on_cpu(
    x: torch.Tensor,
    weight: torch.Tensor,
    norm: Norm | None,
    gate: torch.Tensor | None,
    activation: Activation,
    residual: torch.Tensor | None,
    out: torch.Tensor | None,
) -> torch.Tensor:
    """Do the same in the fewest calls of torch: with a few rows, calls are what a CPU spends its time on."""
    if norm is not None and gate is not None:
        gated = (F.silu(gate) * x).view(x.shape[0], -1, norm.group_size or x.shape[1])
        x = F.rms_norm(gated, gated.shape[-1:], None, norm.eps).view(x.shape) * norm.weight
    elif norm is not None:
        x = F.rms_norm(x, norm.weight.shape, norm.weight, norm.eps)
    if residual is not None and activation == "none":
        return torch.addmm(residual, x, weight.t(), out=out)
    product = F.linear(x, weight)
    if activation == "relu2":
        product = product.clamp_(min=0.0).square_()
    if residual is not None:
        product = product.add_(residual)
    return product if out is None else out.copy_(product)


def _gemv(
    x: torch.Tensor,
    weight: torch.Tensor,
    scale: torch.Tensor | None,
    norm: Norm | None,
    gate: torch.Tensor | None,
    activation: Activation,
    residual: torch.Tensor | None,
    out: torch.Tensor | None,
) -> torch.Tensor:
    if norm is None:
        return gemv(x, weight, scale=scale, activation=activation, residual=residual, out=out)
    return gemv(
        x,
        weight,
        scale=scale,
        norm_weight=norm.weight,
        gate=gate,
        group_size=norm.group_size,
        eps=norm.eps,
        activation=activation,
        residual=residual,
        out=out,
    )
