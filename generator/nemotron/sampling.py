"""Choosing the next token from its logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

__all__ = ["GREEDY", "Sampler", "Sampling", "next_tokens"]

_LEAST_NOISE = 1e-30  # noise may round to 0, and 0 / 0 would win


@dataclass(frozen=True, slots=True)
class Sampling:
    """
    How tokens are drawn.

    Attributes:
        temperature: 0 takes the likeliest token; higher flattens the odds.
        top_p: draw from the likeliest tokens that together have this probability; 1 draws from all.
        seed: of the draws; the same seed, model and device give the same tokens, whatever else is under way.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        if not 0.0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be 0 or more, not {self.temperature}")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must be above 0 and at most 1, not {self.top_p}")


GREEDY = Sampling()


class Sampler:
    """
    Draws the tokens of one request.

    Args:
        sampling: how.
        device: where the logits are.
    """

    def __init__(self, sampling: Sampling, device: torch.device) -> None:
        self.greedy = sampling.temperature == 0.0
        self._sampling = sampling
        self._random = None if self.greedy else torch.Generator(device).manual_seed(sampling.seed)

    def draw(self, logits: torch.Tensor) -> torch.Tensor:
        """
        Draw a token.

        Args:
            logits: (vocabulary,) float32.

        Returns:
            () int64, on the device of the logits.
        """
        if self._random is None:
            return logits.argmax()
        odds = torch.softmax(logits / self._sampling.temperature, dim=-1)
        if self._sampling.top_p < 1.0:
            ranked, order = odds.sort(descending=True, stable=True)
            before = ranked.cumsum(-1) - ranked
            odds = torch.zeros_like(odds).scatter_(0, order, ranked.where(before < self._sampling.top_p, 0.0))
        # Dividing by exponential noise and taking the largest draws in proportion, without a wait for the device.
        noise = torch.empty_like(odds).exponential_(generator=self._random).clamp_(min=_LEAST_NOISE)
        return (odds / noise).argmax()


def next_tokens(logits: torch.Tensor, samplers: Sequence[Sampler | None]) -> list[int]:
    """
    Draw a token for each row, and wait for the device once.

    Args:
        logits: (rows, vocabulary) float32.
        samplers: of each row; None where nothing is asked for, and any token comes back.
    """
    ids = logits.argmax(-1)
    for row, sampler in enumerate(samplers):
        if sampler is not None and not sampler.greedy:
            ids[row] = sampler.draw(logits[row])
    found: list[int] = ids.tolist()
    return found
