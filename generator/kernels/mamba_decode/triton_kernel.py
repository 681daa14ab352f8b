"""
One step in Triton: a program convolves the channels that it needs and updates sixteen rows of one head's state.

Programs cannot race. Each reads the ring's slots of the last three positions and only the slot of the present
position is written, which holds the input of four positions ago: the convolution has no use for that one any more.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from ragvl.generator.kernels.architecture import launching_on, row_for
from ragvl.generator.kernels.cases import CompileCase
from ragvl.generator.kernels.mamba_decode.sizes import HEAD_PART
from ragvl.generator.kernels.pieces import silu, step_of

__all__ = ["COMPILE_CASES", "mamba_decode", "mamba_decode_kernel"]

_WARPS = {80: 4}
"""Architecture to warps of a program; a part of a state, 16 x 128, is sixteen numbers of each lane of four warps."""


@triton.jit
def _convolved(
    x_ptr: tl.tensor,
    ring_ptr: tl.tensor,
    w_ptr: tl.tensor,
    bias_ptr: tl.tensor,
    channel: tl.tensor,
    position: tl.tensor,
    ring_channel: tl.tensor,
    w_channel: tl.tensor,
    writers: tl.tensor,
    HAS_BIAS: tl.constexpr,
) -> tl.tensor:
    slots = ring_ptr + channel * ring_channel
    weights = w_ptr + channel * w_channel
    raw = tl.load(x_ptr + channel)
    total = raw.to(tl.float32) * tl.load(weights + 3).to(tl.float32)
    for tap in tl.static_range(3):
        earlier = tl.load(slots + (position + 1 + tap) % 4).to(tl.float32)
        total += earlier * tl.load(weights + tap).to(tl.float32)
    if HAS_BIAS:
        total += tl.load(bias_ptr + channel).to(tl.float32)
    if writers > 0:
        tl.store(slots + position % 4, raw.to(ring_ptr.dtype.element_ty))
    # rounded as the convolution of a prompt is, so that both give the scan the same numbers
    return silu(total).to(x_ptr.dtype.element_ty).to(tl.float32)


@triton.jit
def mamba_decode_kernel(
    x_ptr: tl.tensor,
    dt_ptr: tl.tensor,
    ring_ptr: tl.tensor,
    pos_ptr: tl.tensor,
    state_ptr: tl.tensor,
    w_ptr: tl.tensor,
    bias_ptr: tl.tensor,
    a_ptr: tl.tensor,
    d_ptr: tl.tensor,
    dt_bias_ptr: tl.tensor,
    y_ptr: tl.tensor,
    x_row: tl.tensor,
    dt_row: tl.tensor,
    ring_row: tl.tensor,
    ring_channel: tl.tensor,
    state_row: tl.tensor,
    state_head: tl.tensor,
    w_channel: tl.tensor,
    y_row: tl.tensor,
    least: tl.tensor,
    most: tl.tensor,
    HAS_BIAS: tl.constexpr,
    HAS_D: tl.constexpr,
    HAS_DT_BIAS: tl.constexpr,
    HEADS: tl.constexpr,
    SHARE: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    STATE: tl.constexpr,
    PART: tl.constexpr,
) -> None:
    """Update rows `program_id(0)` x PART of head `program_id(1)` of row `program_id(2)`; SHARE heads share B and C."""
    part = tl.program_id(0)
    head = tl.program_id(1)
    row = tl.program_id(2).to(tl.int64)
    group = head // SHARE
    position = tl.load(pos_ptr + row)
    x_ptr += row * x_row
    ring_ptr += row * ring_row
    rows = part * PART + tl.arange(0, PART)
    columns = tl.arange(0, STATE)
    place = state_ptr + row * state_row + head * state_head + rows[:, None] * STATE + columns[None, :]
    state = tl.load(place).to(tl.float32)

    inner = head * HEAD_DIM + rows
    into = HEADS * HEAD_DIM + group * STATE + columns
    outof = into + (HEADS // SHARE) * STATE
    writers = tl.where((part == 0) & (head % SHARE == 0), 1, 0)  # B and C of a group are written once
    x = _convolved(x_ptr, ring_ptr, w_ptr, bias_ptr, inner, position, ring_channel, w_channel, 1, HAS_BIAS)
    B = _convolved(
        x_ptr, ring_ptr, w_ptr, bias_ptr, into, position, ring_channel, w_channel, writers, HAS_BIAS
    )
    C = _convolved(
        x_ptr, ring_ptr, w_ptr, bias_ptr, outof, position, ring_channel, w_channel, writers, HAS_BIAS
    )

    raw = tl.load(dt_ptr + row * dt_row + head).to(tl.float32)
    if HAS_DT_BIAS:
        raw += tl.load(dt_bias_ptr + head).to(tl.float32)
    step = step_of(raw, least, most)
    decay = tl.exp2(step * tl.load(a_ptr + head).to(tl.float32) * 1.4426950408889634)
    state = state * decay + (x * step)[:, None] * B[None, :]
    tl.store(place, state.to(state_ptr.dtype.element_ty))
    y = tl.sum(state * C[None, :], axis=1)
    if HAS_D:
        y += x * tl.load(d_ptr + head).to(tl.float32)
    tl.store(y_ptr + row * y_row + inner, y.to(y_ptr.dtype.element_ty))


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
    """Launch the kernel; see the package's function for the arguments."""
    batch, heads, head_dim, state_size = ssm_state.shape
    groups = (xBC.shape[1] - heads * head_dim) // (2 * state_size)
    with launching_on(xBC.device):
        mamba_decode_kernel[(head_dim // HEAD_PART, heads, batch)](
            xBC,
            dt,
            conv_ring,
            pos,
            ssm_state,
            w,
            w if b is None else b,
            A,
            A if D is None else D,
            A if dt_bias is None else dt_bias,
            out,
            xBC.stride(0),
            dt.stride(0),
            conv_ring.stride(0),
            conv_ring.stride(1),
            ssm_state.stride(0),
            ssm_state.stride(1),
            w.stride(0),
            out.stride(0),
            *dt_limit,
            HAS_BIAS=b is not None,
            HAS_D=D is not None,
            HAS_DT_BIAS=dt_bias is not None,
            HEADS=heads,
            SHARE=heads // groups,
            HEAD_DIM=head_dim,
            STATE=state_size,
            PART=HEAD_PART,
            num_warps=row_for(_WARPS, xBC.device),
            enable_fp_fusion=True,
        )
    return out


COMPILE_CASES = (
    CompileCase(
        name="mamba_decode",
        function=mamba_decode_kernel,
        signature={
            **dict.fromkeys(("x_ptr", "dt_ptr", "ring_ptr", "y_ptr", "w_ptr", "bias_ptr"), "*bf16"),
            **dict.fromkeys(("state_ptr", "a_ptr", "d_ptr", "dt_bias_ptr"), "*fp32"),
            "pos_ptr": "*i32",
            **dict.fromkeys(
                ("x_row", "dt_row", "ring_row", "ring_channel", "state_row", "state_head"), "i32"
            ),
            **dict.fromkeys(("w_channel", "y_row"), "i32"),
            **dict.fromkeys(("least", "most"), "fp32"),
        },
        constexprs={
            **dict.fromkeys(("HAS_BIAS", "HAS_D", "HAS_DT_BIAS"), True),
            "HEADS": 128,
            "SHARE": 16,
            "HEAD_DIM": 80,
            "STATE": 128,
            "PART": HEAD_PART,
        },
        num_warps=_WARPS[80],
        odd=("ring_channel", "w_channel"),
    ),
)
