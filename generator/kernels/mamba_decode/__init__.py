"""One token through the convolution and the recurrence of a Mamba-2 layer, states updated in place."""

from __future__ import annotations

import torch

from ragvl.generator.kernels.choice import choose
from ragvl.generator.kernels.mamba_decode.sizes import kernel_fits, sizes_of

__all__ = ["mamba_decode"]


def mamba_decode(
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
    *,
    dt_limit: tuple[float, float] = (0.0, float("inf")),
) -> torch.Tensor:
    """
    Advance a layer by one token: what `conv1d_prefill` and `ssd_prefill` do for a prompt, in one launch.

    Nothing is allocated on a GPU and nothing is read back to the host: the call can be captured in a CUDA graph. The
    position is only read; the caller advances it once per token, after all layers.

    Args:
        xBC: (batch, channels) bfloat16, float16 or float32: x, B and C before convolution; the last axis is
            contiguous, rows may be strided. `channels = heads * head_dim + 2 * groups * state_size`.
        dt: (batch, heads): the time step before bias and softplus; rows may be strided.
        conv_ring: (batch, channels, 4): the last inputs, that of position t in slot `t % 4`. Written in place.
        pos: (batch,) int32: position of this token, on the device of the rest.
        ssm_state: (batch, heads, head_dim, state_size) float32. Updated in place.
        w, b: (channels, 4) and (channels,): weights and bias of the convolution; b may be None.
        A: (heads,) float32, negative.
        D, dt_bias: (heads,) float32, or None.
        out: (batch, heads * head_dim), dtype of `xBC`: where the outputs go.
        dt_limit: least and greatest step.

    Returns:
        out.

    Raises:
        ValueError: shapes that do not belong together.
    """
    sizes = sizes_of(xBC, dt, conv_ring, pos, ssm_state, w, b, A, D, dt_bias, out)
    run = choose("mamba_decode", xBC.device, fits=kernel_fits(sizes, xBC.dtype))
    result: torch.Tensor = run(
        xBC, dt, conv_ring, pos, ssm_state, w, b, A, D, dt_bias, out, dt_limit=dt_limit
    )
    return result
