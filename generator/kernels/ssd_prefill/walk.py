"""A block of heads going through a sequence, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ragvl.generator.kernels.ssd_prefill.decays import LEAST_LOG2, Decays

__all__ = ["Block", "Walk", "blocks_of"]

_CACHE_FLOATS = 1 << 18
"""State that a block may hold on a CPU: 1 MiB of float32."""


@dataclass(frozen=True, slots=True)
class Block:
    """
    Heads that are walked together: all of some groups, or some of one group.

    Attributes:
        heads, groups: which.
        share: heads of the block in each of its groups.
    """

    heads: slice
    groups: slice
    share: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Views of one chunk; "by group" means (tokens, groups, heads of a group, head_dim or 1)."""

    x: torch.Tensor  # (heads, tokens, head_dim)
    x_by_group: torch.Tensor
    y_by_group: torch.Tensor
    B: torch.Tensor  # (groups, tokens, state_size)
    C: torch.Tensor
    through: torch.Tensor  # (heads, tokens, 1)
    through_each: torch.Tensor  # (heads, 1, tokens)
    steps: torch.Tensor  # (heads, 1, tokens)
    since_start: torch.Tensor  # by group
    until_end: torch.Tensor  # by group
    across: torch.Tensor  # (groups, 1, heads of a group, 1)


class _Buffers:
    """What the steps of a walk write into, for chunks of one size."""

    def __init__(self, state: torch.Tensor, groups: int, share: int, tokens: int) -> None:
        columns = state.shape[2]
        self.mixing = state.new_empty(groups * share, tokens, tokens)
        self.mixing_by_group = self.mixing.view(groups, share, tokens, tokens)
        self.skip = self.mixing.diagonal(dim1=1, dim2=2)
        self.inner = state.new_empty(groups * share, tokens, columns // share)
        self.inner_by_group = torch.unflatten(self.inner, 0, (groups, share)).permute(2, 0, 1, 3)
        self.carried = state.new_empty(groups, tokens, columns)
        self.carried_by_group = torch.unflatten(self.carried, 2, (share, -1)).transpose(0, 1)
        self.weighted = torch.empty_like(self.carried)
        self.weighted_by_group = torch.unflatten(self.weighted, 2, (share, -1)).transpose(0, 1)


class Walk:
    """One block of heads in one sequence; the state is kept as (groups, state_size, heads of a group x head_dim)."""

    def __init__(
        self,
        block: Block,
        x: torch.Tensor,
        B: torch.Tensor,
        C: torch.Tensor,
        D: torch.Tensor | None,
        decays: Decays,
        y: torch.Tensor,
    ) -> None:
        self._precise = decays.precise
        self._groups, self._share = block.groups.stop - block.groups.start, block.share
        self._skip = None if D is None else D[block.heads, None].to(decays.precise)
        columns = block.share * x.shape[2]
        self._state = x.new_zeros((self._groups, B.shape[2], columns), dtype=decays.precise)
        self._state_by_head = torch.unflatten(self._state, 2, (self._share, -1))
        self._buffers: dict[int, _Buffers] = {}
        self._chunks = self._cut(block, x, B, C, decays.of_heads(block.heads), y)

    def begin(self, state: torch.Tensor | None) -> None:
        """Start from a state (heads, head_dim, state_size), or from zeros."""
        if state is not None:
            self._state_by_head.permute(0, 2, 3, 1).copy_(
                torch.unflatten(state, 0, (self._groups, self._share))
            )

    def store(self, place: torch.Tensor) -> None:
        """Copy the state to (heads, head_dim, state_size)."""
        torch.unflatten(place, 0, (self._groups, self._share)).copy_(self._state_by_head.permute(0, 2, 3, 1))

    def step(self, index: int) -> None:
        """Write the outputs of one chunk and carry the state over it."""
        chunk = self._chunks[index]
        buffers = self._buffers_of(chunk.x.shape[1])
        x, B, C = (each.to(self._precise) for each in (chunk.x, chunk.B, chunk.C))
        sources = B.transpose(1, 2)

        # what each token of the chunk takes from those before it, and from itself
        torch.sub(chunk.through, chunk.through_each, out=buffers.mixing)
        buffers.mixing.clamp_(LEAST_LOG2, 0).exp2_().mul_(chunk.steps)
        buffers.mixing_by_group.mul_(torch.bmm(C, sources).tril_()[:, None])
        if self._skip is not None:
            buffers.skip.add_(self._skip)
        torch.bmm(buffers.mixing, x, out=buffers.inner)

        # what it takes from the state at the start of the chunk
        torch.bmm(C, self._state, out=buffers.carried)
        torch.addcmul(
            buffers.inner_by_group, buffers.carried_by_group, chunk.since_start, out=chunk.y_by_group
        )

        torch.mul(chunk.x_by_group, chunk.until_end, out=buffers.weighted_by_group)
        self._state_by_head.mul_(chunk.across)
        self._state.baddbmm_(sources, buffers.weighted)

    def _buffers_of(self, tokens: int) -> _Buffers:
        if tokens not in self._buffers:
            self._buffers[tokens] = _Buffers(self._state, self._groups, self._share, tokens)
        return self._buffers[tokens]

    def _cut(
        self, block: Block, x: torch.Tensor, B: torch.Tensor, C: torch.Tensor, decays: Decays, y: torch.Tensor
    ) -> list[_Chunk]:
        sizes = [last - first for first, last in decays.chunks]
        grouped = (self._groups, self._share)
        x, y = x[:, block.heads], y[:, block.heads]
        B, C = B[:, block.groups].transpose(0, 1), C[:, block.groups].transpose(0, 1)
        since_start, until_end = decays.since_start.t()[..., None], decays.until_end.t()[..., None]
        across = torch.unflatten(decays.across, 0, grouped)[:, None, :, None]
        views = zip(
            torch.split(x.transpose(0, 1), sizes, 1),
            torch.split(torch.unflatten(x, 1, grouped), sizes),
            torch.split(torch.unflatten(y, 1, grouped), sizes),
            torch.split(B, sizes, 1),
            torch.split(C, sizes, 1),
            torch.split(decays.total[:, :, None], sizes, 1),
            torch.split(decays.total[:, None], sizes, 2),
            torch.split(decays.step[:, None], sizes, 2),
            torch.split(torch.unflatten(since_start, 1, grouped), sizes),
            torch.split(torch.unflatten(until_end, 1, grouped), sizes),
            across.unbind(-1),
            strict=True,
        )
        return [_Chunk(*each) for each in views]


def blocks_of(heads: int, groups: int, state: int, device: torch.device) -> Iterator[Block]:
    """
    Cut the heads into blocks whose state fits the cache of a CPU; on other devices there is one block.

    Args:
        heads, groups: how many there are.
        state: numbers in the state of one head.
        device: where it runs.
    """
    share = heads // groups
    room = max(1, _CACHE_FLOATS // state) if device.type == "cpu" else heads
    if room >= share:
        together = room // share
        for group in range(0, groups, together):
            last = min(groups, group + together)
            yield Block(slice(group * share, last * share), slice(group, last), share)
        return
    for group in range(groups):
        for first in range(0, share, room):
            some = min(room, share - first)
            start = group * share + first
            yield Block(slice(start, start + some), slice(group, group + 1), some)
