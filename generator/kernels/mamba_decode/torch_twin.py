"""One step in plain PyTorch, for every device."""

from __future__ import annotations

import torch
from torch.nn import functional

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
    """Update ring and state, return `out`; see the package's function for the arguments."""
    batch, heads, head_dim, state_size = ssm_state.shape
    precise = torch.float64 if xBC.dtype == torch.float64 else torch.float32
    mixed = _convolve(xBC, conv_ring, pos, w, b, precise)
    x, rest = torch.split(mixed, [heads * head_dim, xBC.shape[1] - heads * head_dim], 1)
    B, C = rest.reshape(batch, 2, -1, 1, state_size).unbind(1)  # (batch, groups, 1, state_size)
    groups = B.shape[1]

    raw = dt.to(precise)
    step = functional.softplus(raw if dt_bias is None else raw + dt_bias.to(precise)).clamp(*dt_limit)
    decay = torch.exp(step * A.to(precise)).view(batch, groups, -1, 1, 1)
    x = x.reshape(batch, heads, head_dim)
    dose = (x * step[..., None]).view(batch, groups, -1, head_dim, 1)
    state = ssm_state.view(batch, groups, -1, head_dim, state_size)
    if ssm_state.dtype == precise:
        state.mul_(decay).addcmul_(dose, B[:, :, None])
    else:
        state.copy_(torch.addcmul(state * decay, dose, B[:, :, None]))
    y = torch.matmul(state.to(precise).flatten(2, 3), C.transpose(2, 3)).view(batch, heads, head_dim)
    if D is not None:
        y.addcmul_(x, D[:, None].to(precise))
    return out.copy_(y.flatten(1))


def _convolve(
    xBC: torch.Tensor,
    conv_ring: torch.Tensor,
    pos: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor | None,
    precise: torch.dtype,
) -> torch.Tensor:
    """Write the input into its slot; return the activated convolution, rounded as the prompt's is."""
    batch, channels = xBC.shape
    slot = pos.long().remainder(4)[:, None, None]
    conv_ring.scatter_(2, slot.expand(batch, channels, 1), xBC[..., None].to(conv_ring.dtype))
    order = (slot + torch.arange(1, 5, device=pos.device)).remainder_(4)  # the oldest input's slot first
    window = conv_ring.gather(2, order.expand(batch, channels, 4)).to(precise)
    total = (window * w.to(precise)).sum(2)
    if b is not None:
        total += b.to(precise)
    return functional.silu(total, inplace=True).to(xBC.dtype).to(precise)
