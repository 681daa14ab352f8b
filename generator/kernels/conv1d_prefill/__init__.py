"""The causal depthwise convolution before the scan of a Mamba-2 layer, over a whole prompt."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.choice import choose
from ragvl.generator.kernels.conv1d_prefill.ring import WIDTH, ring_after

__all__ = ["conv1d_prefill", "ring_after"]


def conv1d_prefill(
    xBC: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor | None,
    *,
    initial_state: torch.Tensor | None = None,
    final_state_out: torch.Tensor | None = None,
    activation: str | None = "silu",
    start: int = 0,
    cu_seqlens: torch.Tensor | None = None,
    out: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Convolve every channel with its own four weights, add the bias and apply the activation.

        y[t] = silu(b + w[0] x[t-3] + w[1] x[t-2] + w[2] x[t-1] + w[3] x[t])

    The last four inputs are kept as a ring: the input of position t is in slot `t % 4`, which is what `mamba_decode`
    continues from. Sums are float32 (float64 when the input is).

    Args:
        xBC: (batch, length, channels) bfloat16, float16 or float32; the last axis is contiguous, rows may be strided:
            a slice of the input projection is read in place.
        w: (channels, 4): weights, the oldest input's first.
        b: (channels,), or None.
        initial_state: (sequences, channels, 4): the ring before the first token; None for the start of a sequence.
        final_state_out: (sequences, channels, 4): where the ring after the last token goes; may be `initial_state`.
            A new tensor in the dtype of `xBC` when None.
        activation: "silu", or None for none.
        start: position of the first token: how many came before it. Every sequence starts there.
        cu_seqlens: (sequences + 1,) int32 or int64, from 0 to `length`: several sequences one after the other in a
            batch of one.
        out: where y goes; must not overlap `xBC`. A new contiguous tensor when None.

    Returns:
        y (batch, length, channels) in the dtype of `xBC`, and the ring after the last token.

    Raises:
        ValueError: shapes that do not belong together, or an unknown activation.
    """
    _check(xBC, w, b, (initial_state, final_state_out), activation, start, cu_seqlens, out)
    run = choose("conv1d_prefill", xBC.device, fits=xBC.dtype != torch.float64 and xBC.shape[1] > 0)
    result: tuple[torch.Tensor, torch.Tensor] = run(
        xBC,
        w,
        b,
        initial_state=initial_state,
        final_state_out=final_state_out,
        activation=activation,
        start=start,
        cu_seqlens=cu_seqlens,
        out=out,
    )
    return result


def _check(
    xBC: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor | None,
    states: tuple[torch.Tensor | None, torch.Tensor | None],
    activation: str | None,
    start: int,
    cu_seqlens: torch.Tensor | None,
    out: torch.Tensor | None,
) -> None:
    if xBC.ndim != 3:
        raise ValueError(f"conv1d_prefill: xBC has {xBC.ndim} axes; 3 are needed")
    batch, _, channels = xBC.shape
    if activation not in ("silu", None):
        raise ValueError(f'conv1d_prefill: activation {activation!r}; "silu" or None')
    if start < 0:
        raise ValueError(f"conv1d_prefill: start {start} is negative; it counts the tokens before")
    if cu_seqlens is not None and batch != 1:
        raise ValueError(f"conv1d_prefill: packed sequences (cu_seqlens) need a batch of 1, not {batch}")
    ring = (batch if cu_seqlens is None else cu_seqlens.numel() - 1, channels, WIDTH)
    expected = [("w", w, (channels, WIDTH)), ("b", b, (channels,)), ("out", out, xBC.shape)]
    for name, tensor, shape in [*expected, *(("a state", state, ring) for state in states)]:
        if tensor is not None and tuple(tensor.shape) != tuple(shape):
            raise ValueError(f"conv1d_prefill: {name} is {tuple(tensor.shape)}, xBC asks for {tuple(shape)}")
