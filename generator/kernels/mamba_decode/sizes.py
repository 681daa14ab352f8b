"""The sizes of one decoding step, checked once for all implementations."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["HEAD_PART", "StepSizes", "kernel_fits", "sizes_of"]

HEAD_PART = 16
"""Rows of a head's state that one program of the kernel updates."""


@dataclass(frozen=True, slots=True)
class StepSizes:
    """How many of everything a step has."""

    batch: int
    heads: int
    head_dim: int
    groups: int
    state_size: int


def sizes_of(
    xBC: torch.Tensor,
    dt: torch.Tensor,
    conv_ring: torch.Tensor,
    pos: torch.Tensor,
    ssm_state: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor | None,
    A: torch.Tensor,
    D: torch.Tensor | None,
    dt_bias: torch.Tensor | None,
    out: torch.Tensor,
) -> StepSizes:
    """
    Return the sizes of a step.

    Raises:
        ValueError: shapes that do not belong together; the message names the argument.
    """
    if xBC.ndim != 2 or ssm_state.ndim != 4:
        raise ValueError(
            f"mamba_decode: xBC has {xBC.ndim} axes and ssm_state {ssm_state.ndim}; 2 and 4 are needed"
        )
    batch, channels = xBC.shape
    heads, head_dim, state_size = ssm_state.shape[1:]
    groups, rest = divmod(channels - heads * head_dim, 2 * state_size)
    if rest or groups < 1 or heads % groups:
        raise ValueError(
            f"mamba_decode: {channels} channels do not hold {heads} heads of {head_dim} and B and C of {state_size}"
        )
    expected = {
        "dt": (dt, (batch, heads)),
        "conv_ring": (conv_ring, (batch, channels, 4)),
        "pos": (pos, (batch,)),
        "ssm_state": (ssm_state, (batch, heads, head_dim, state_size)),
        "w": (w, (channels, 4)),
        "b": (b, (channels,)),
        "A": (A, (heads,)),
        "D": (D, (heads,)),
        "dt_bias": (dt_bias, (heads,)),
        "out": (out, (batch, heads * head_dim)),
    }
    for name, (tensor, shape) in expected.items():
        if tensor is not None and tuple(tensor.shape) != shape:
            raise ValueError(
                f"mamba_decode: {name} is {tuple(tensor.shape)}, xBC and ssm_state ask for {shape}"
            )
    return StepSizes(batch, heads, head_dim, groups, state_size)


def kernel_fits(sizes: StepSizes, dtype: torch.dtype) -> bool:
    """Whether the Triton kernel covers these sizes."""
    powers = sizes.state_size in (16, 32, 64, 128, 256)
    return powers and sizes.head_dim % HEAD_PART == 0 and dtype != torch.float64
