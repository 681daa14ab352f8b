"""Confidence intervals by resampling questions; two systems are compared on the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Interval", "mean_interval", "paired_interval"]

_SAMPLES = 10_000
_SEED = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and the bounds that hold 95 % of the resampled means."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def signed(self) -> str:
        """The interval of a difference."""
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def mean_interval(scores: Sequence[float]) -> Interval:
    """
    Resample the questions with replacement.

    Raises:
        ValueError: there are no scores.
    """
    if not scores:
        raise ValueError("there are no scores to resample")
    values = np.asarray(scores, dtype=np.float64)
    chance = np.random.default_rng(
        _SEED
    )  # the same questions are drawn for every system: the bootstrap is paired
    means = values[chance.integers(len(values), size=(_SAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high))


def paired_interval(scores: Sequence[float], baseline: Sequence[float]) -> Interval:
    """
    Resample the differences to a baseline, question by question.

    Raises:
        ValueError: the two are not about the same number of questions.
    """
    return mean_interval([one - other for one, other in zip(scores, baseline, strict=True)])
