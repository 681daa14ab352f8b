"""The sizes of a scan, checked once for all implementations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

__all__ = ["ScanSizes", "kernel_fits", "parts_of", "sizes_of"]


@dataclass(frozen=True, slots=True)
class ScanSizes:
    """How many of everything a scan has; `sequences` is `batch` unless several are packed into one row."""

    batch: int
    length: int
    heads: int
    head_dim: int
    groups: int
    state_size: int
    sequences: int


def sizes_of(
    x: torch.Tensor,
    dt: torch.Tensor,
    A: torch.Tensor,
    B: torch.Tensor,
    C: torch.Tensor,
    D: torch.Tensor | None,
    dt_bias: torch.Tensor | None,
    states: Sequence[torch.Tensor | None],
    cu_seqlens: torch.Tensor | None,
    snapshot_at: Sequence[int] | None,
    out: torch.Tensor | None,
) -> ScanSizes:
    """
    Return the sizes of a scan.

    Raises:
        ValueError: shapes that do not belong together; the message names the argument.
    """
    if x.ndim != 4 or B.ndim != 4:
        raise ValueError(f"ssd_prefill: x has {x.ndim} axes and B {B.ndim}; both need 4")
    batch, length, heads, head_dim = x.shape
    groups, state_size = B.shape[2:]
    if groups == 0 or heads % groups:
        raise ValueError(f"ssd_prefill: {heads} heads cannot be shared evenly by {groups} groups")
    if cu_seqlens is not None and batch != 1:
        raise ValueError(f"ssd_prefill: packed sequences (cu_seqlens) need a batch of 1, not {batch}")
    if cu_seqlens is not None and snapshot_at is not None:
        raise ValueError(
            "ssd_prefill: snapshot_at cannot be combined with cu_seqlens; run the sequences one by one"
        )
    if snapshot_at is not None and not _ascending(snapshot_at, length):
        raise ValueError(
            f"ssd_prefill: snapshot_at {list(snapshot_at)} must ascend from 1 or more to {length} at most"
        )
    sequences = batch if cu_seqlens is None else cu_seqlens.numel() - 1
    state = (sequences, heads, head_dim, state_size)
    expected = [
        ("dt", dt, (batch, length, heads)),
        ("A", A, (heads,)),
        ("B", B, (batch, length, groups, state_size)),
        ("C", C, (batch, length, groups, state_size)),
        ("D", D, (heads,)),
        ("dt_bias", dt_bias, (heads,)),
        *(("a state", tensor, state) for tensor in states),
        ("out", out, x.shape),
    ]
    for name, tensor, shape in expected:
        if tensor is not None and tuple(tensor.shape) != tuple(shape):
            raise ValueError(f"ssd_prefill: {name} is {tuple(tensor.shape)}, x and B ask for {tuple(shape)}")
    return ScanSizes(batch, length, heads, head_dim, groups, state_size, sequences)


def kernel_fits(
    sizes: ScanSizes, dtype: torch.dtype, out: torch.Tensor | None, final_state_out: torch.Tensor | None
) -> bool:
    """Whether the kernels cover a scan: 16 bits, powers of two from 16 up for the tensor cores, rows to store."""
    powers = sizes.state_size in (16, 32, 64, 128) and parts_of(sizes.head_dim) is not None
    rows = out is None or out.stride(-1) == 1
    states = final_state_out is None or final_state_out.stride()[2:] == (sizes.state_size, 1)
    return powers and rows and states and dtype in (torch.bfloat16, torch.float16) and sizes.length > 0


def parts_of(head_dim: int) -> tuple[int, int] | None:
    """
    Split a head into two powers of two, the second possibly 0: 80 is 64 and 16.

    Returns:
        the parts, each at least 16, together at most 128; None when there is no such split.
    """
    first = 1 << (head_dim.bit_length() - 1) if head_dim else 0
    second = head_dim - first
    powers = second == 0 or (second >= 16 and second & (second - 1) == 0)
    return (first, second) if 16 <= head_dim <= 128 and powers else None


def _ascending(positions: Sequence[int], length: int) -> bool:
    bounds = [0, *positions, length + 1]
    return all(before < after for before, after in pairwise(bounds))
