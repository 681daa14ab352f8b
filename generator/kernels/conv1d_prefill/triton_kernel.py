"""The convolution in Triton: a program slides over some tokens of some channels, and reads each input once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl

from ragvl.generator.kernels.architecture import launching_on, row_for
from ragvl.generator.kernels.cases import ARCHITECTURES, CompileCase
from ragvl.generator.kernels.pieces import silu

__all__ = ["COMPILE_CASES", "conv1d_prefill", "conv1d_prefill_kernel"]


@dataclass(frozen=True, slots=True)
class _Tile:
    tokens: int
    channels: int
    num_warps: int


_TILES = {80: _Tile(16, 512, 2), 90: _Tile(16, 512, 2), 100: _Tile(32, 512, 2)}
"""Architecture to tile: eight channels of each lane are one load of 16 bytes."""


@triton.jit
def _when(condition: tl.tensor, channel: tl.tensor, channels: tl.tensor) -> tl.tensor:
    """Return the mask of the channels, empty unless a condition of the whole program holds."""
    return channel < tl.where(condition, channels, 0)


@triton.jit
def conv1d_prefill_kernel(
    x_ptr: tl.tensor,
    w_ptr: tl.tensor,
    bias_ptr: tl.tensor,
    initial_ptr: tl.tensor,
    final_ptr: tl.tensor,
    bounds_ptr: tl.tensor,
    y_ptr: tl.tensor,
    length: tl.tensor,
    channels: tl.tensor,
    start: tl.tensor,
    x_row: tl.tensor,
    x_token: tl.tensor,
    y_row: tl.tensor,
    y_token: tl.tensor,
    w_channel: tl.tensor,
    initial_row: tl.tensor,
    initial_channel: tl.tensor,
    final_row: tl.tensor,
    final_channel: tl.tensor,
    HAS_BIAS: tl.constexpr,
    HAS_INITIAL: tl.constexpr,
    PACKED: tl.constexpr,
    SILU: tl.constexpr,
    TOKENS: tl.constexpr,
    CHANNELS: tl.constexpr,
) -> None:
    """Convolve tile `program_id(0)` of the tokens, `program_id(1)` of the channels, of sequence `program_id(2)`."""
    sequence = tl.program_id(2).to(tl.int64)
    if PACKED:
        begin = tl.load(bounds_ptr + sequence).to(tl.int64)
        length = (tl.load(bounds_ptr + sequence + 1).to(tl.int64) - begin).to(tl.int32)
        x_ptr += begin * x_token
        y_ptr += begin * y_token
    else:
        x_ptr += sequence * x_row
        y_ptr += sequence * y_row
    first = tl.program_id(0) * TOKENS
    if (first >= length) & (first > 0):
        return
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    inside = channel < channels
    ring_ptr = initial_ptr + sequence * initial_row + channel * initial_channel
    x_tile = x_ptr + first.to(tl.int64) * x_token + channel
    y_tile = y_ptr + first.to(tl.int64) * y_token + channel

    w0 = tl.load(w_ptr + channel * w_channel, mask=inside, other=0.0).to(tl.float32)
    w1 = tl.load(w_ptr + channel * w_channel + 1, mask=inside, other=0.0).to(tl.float32)
    w2 = tl.load(w_ptr + channel * w_channel + 2, mask=inside, other=0.0).to(tl.float32)
    w3 = tl.load(w_ptr + channel * w_channel + 3, mask=inside, other=0.0).to(tl.float32)
    bias = tl.zeros([CHANNELS], tl.float32)
    if HAS_BIAS:
        bias = tl.load(bias_ptr + channel, mask=inside, other=0.0).to(tl.float32)

    # TOKENS is at least 3, so the three inputs before a tile are all in the sequence or all before it.
    earlier = _when((first > 0) & (first < length), channel, channels)
    x0 = tl.load(x_tile - 3 * x_token, mask=earlier, other=0.0).to(tl.float32)
    x1 = tl.load(x_tile - 2 * x_token, mask=earlier, other=0.0).to(tl.float32)
    x2 = tl.load(x_tile - x_token, mask=earlier, other=0.0).to(tl.float32)
    if HAS_INITIAL:
        before = _when(first == 0, channel, channels)
        x0 += tl.load(ring_ptr + (start + 1) % 4, mask=before, other=0.0).to(tl.float32)
        x1 += tl.load(ring_ptr + (start + 2) % 4, mask=before, other=0.0).to(tl.float32)
        x2 += tl.load(ring_ptr + (start + 3) % 4, mask=before, other=0.0).to(tl.float32)

    for token in tl.static_range(TOKENS):
        live = _when(first + token < length, channel, channels)
        x3 = tl.load(x_tile + token * x_token, mask=live, other=0.0).to(tl.float32)
        y = bias + w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3
        if SILU:
            y = silu(y)
        tl.store(y_tile + token * y_token, y.to(y_ptr.dtype.element_ty), mask=live)
        x0, x1, x2 = x1, x2, x3

    if first + TOKENS >= length:
        for slot in tl.static_range(4):
            index = (
                length - 1 - (start + length + 3 - slot) % 4
            )  # of the newest input that belongs in the slot
            ours = _when(index >= 0, channel, channels)
            kept = tl.load(x_ptr + index.to(tl.int64) * x_token + channel, mask=ours, other=0.0).to(
                tl.float32
            )
            if HAS_INITIAL:
                older = _when(index < 0, channel, channels)
                kept += tl.load(ring_ptr + slot, mask=older, other=0.0).to(tl.float32)
            place = final_ptr + sequence * final_row + channel * final_channel + slot
            tl.store(place, kept.to(final_ptr.dtype.element_ty), mask=inside)


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
    """Launch the kernel; see the package's function for the arguments."""
    batch, length, channels = xBC.shape
    sequences = batch if cu_seqlens is None else cu_seqlens.numel() - 1
    y = torch.empty(xBC.shape, dtype=xBC.dtype, device=xBC.device) if out is None else out
    final, initial = final_state_out, initial_state
    if final is None:
        final = torch.empty((sequences, channels, 4), dtype=xBC.dtype, device=xBC.device)
    elif initial is not None and initial.untyped_storage().data_ptr() == final.untyped_storage().data_ptr():
        initial = (
            initial.clone()
        )  # the program of the last tokens may write before that of the first ones reads
    ring = final if initial is None else initial
    tile = row_for(_TILES, xBC.device)
    with launching_on(xBC.device):
        conv1d_prefill_kernel[
            (triton.cdiv(length, tile.tokens), triton.cdiv(channels, tile.channels), sequences)
        ](
            xBC,
            w,
            w if b is None else b,
            ring,
            final,
            xBC if cu_seqlens is None else cu_seqlens,
            y,
            length,
            channels,
            start % 4,
            xBC.stride(0),
            xBC.stride(1),
            y.stride(0),
            y.stride(1),
            w.stride(0),
            ring.stride(0),
            ring.stride(1),
            final.stride(0),
            final.stride(1),
            HAS_BIAS=b is not None,
            HAS_INITIAL=initial is not None,
            PACKED=cu_seqlens is not None,
            SILU=activation is not None,
            TOKENS=tile.tokens,
            CHANNELS=tile.channels,
            num_warps=tile.num_warps,
            enable_fp_fusion=True,
        )
    return y, final


_POINTERS = dict.fromkeys(("x_ptr", "initial_ptr", "final_ptr", "y_ptr", "w_ptr", "bias_ptr"), "*bf16")
_INTEGERS = dict.fromkeys(
    (
        *("length", "channels", "start", "x_row", "x_token", "y_row", "y_token", "w_channel"),
        *("initial_row", "initial_channel", "final_row", "final_channel"),
    ),
    "i32",
)
COMPILE_CASES = tuple(
    CompileCase(
        name="conv1d_prefill",
        function=conv1d_prefill_kernel,
        signature={**_POINTERS, "bounds_ptr": "*i32", **_INTEGERS},
        constexprs={
            **dict.fromkeys(("HAS_BIAS", "HAS_INITIAL", "SILU"), True),
            "PACKED": False,
            "TOKENS": tile.tokens,
            "CHANNELS": tile.channels,
        },
        num_warps=tile.num_warps,
        architectures=tuple(a for a in ARCHITECTURES if max(k for k in _TILES if k <= a) == architecture),
        odd=("length", "start", "w_channel", "initial_channel", "final_channel"),
    )
    for architecture, tile in _TILES.items()
)
