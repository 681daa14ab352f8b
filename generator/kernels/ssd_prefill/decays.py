"""How much of the state survives from one token to another."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import torch
from torch.nn import functional

__all__ = ["LEAST_LOG2", "Decays"]

LEAST_LOG2 = -100.0
"""A decay below 2^-100 counts as this: nothing of what it multiplies can be seen, and it stays out of the range
of subnormal numbers, which slow some processors down a hundredfold."""


@dataclass(frozen=True, slots=True)
class Decays:
    """
    The steps and decays of one sequence cut into chunks; one row per head.

    Attributes:
        chunks: first and last token (exclusive) of each.
        precise: dtype of everything but `total`.
        step: (heads, length), after bias, softplus and limits.
        total: (heads, length) float64: base 2 logarithm of the decay from the start of the sequence through a token.
            A difference of two is right to float32 even where both are in the thousands.
        since_start: (heads, length): decay from the start of the token's chunk through the token.
        until_end: (heads, length): `step` times the decay from after the token to the end of its chunk.
        across: (heads, chunks): decay over a whole chunk.
    """

    chunks: tuple[tuple[int, int], ...]
    precise: torch.dtype
    step: torch.Tensor
    total: torch.Tensor
    since_start: torch.Tensor
    until_end: torch.Tensor
    across: torch.Tensor

    @classmethod
    def of(
        cls,
        dt: torch.Tensor,
        A: torch.Tensor,
        dt_bias: torch.Tensor | None,
        dt_limit: tuple[float, float],
        chunks: tuple[tuple[int, int], ...],
        precise: torch.dtype,
    ) -> Decays:
        """Work them out from the raw steps dt (length, heads) of a sequence."""
        raw = dt.t().to(precise)
        step = functional.softplus(raw if dt_bias is None else raw + dt_bias[:, None].to(precise))
        step = step.clamp(*dt_limit).contiguous()
        total = (step.double() * A[:, None].double()).cumsum(1).mul_(1 / math.log(2))
        through = functional.pad(total, (1, 0))
        bounds = torch.tensor(chunks, dtype=torch.long, device=dt.device).view(-1, 2)
        sizes = bounds[:, 1] - bounds[:, 0]
        starts, ends = through[:, bounds[:, 0]], through[:, bounds[:, 1]]
        since_start = _decay(total - starts.repeat_interleave(sizes, 1), precise)
        until_end = _decay(ends.repeat_interleave(sizes, 1) - total, precise).mul_(step)
        return cls(chunks, precise, step, total, since_start, until_end, _decay(ends - starts, precise))

    def of_heads(self, heads: slice) -> Decays:
        """Keep only some heads."""
        rows = {each.name: getattr(self, each.name)[heads] for each in fields(self)[2:]}
        return replace(self, **rows)


def _decay(log2: torch.Tensor, precise: torch.dtype) -> torch.Tensor:
    return log2.to(precise).clamp_(LEAST_LOG2, 0).exp2_()
