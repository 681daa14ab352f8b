"""How sure a mean or a difference is: bootstrap intervals over questions, and what may be said of a difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BETTER",
    "INSIDE_THE_NOISE",
    "WORSE",
    "Interval",
    "difference_interval",
    "mean_interval",
    "paired_interval",
]

BETTER = "better"
WORSE = "worse"
INSIDE_THE_NOISE = "inside the noise"

_SAMPLES = 10_000
_SEED = 0
_DRAWN_AT_ONCE = 1 << 21  # 8 bytes each, and as many again for the scores


@dataclass(frozen=True, slots=True)
class Interval:
    """
    A mean, and the bounds that hold a share of the resampled means.

    Attributes:
        count: number of questions.
        confidence: the share, 0.95 for a 95 % interval.
    """

    mean: float
    low: float
    high: float
    count: int
    confidence: float = 0.95

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def signed(self) -> str:
        """The interval of a difference, with the sign written."""
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"

    @property
    def verdict(self) -> str:
        """
        What may be said of a difference, where more is better: `BETTER`, `WORSE` or `INSIDE_THE_NOISE`.

        A difference whose interval holds 0 is inside the noise; so is one of a single question, which nothing can
        be resampled from.
        """
        if self.count < 2 or self.low <= 0 <= self.high:
            return INSIDE_THE_NOISE
        return BETTER if self.low > 0 else WORSE


def mean_interval(
    scores: Sequence[float], *, confidence: float = 0.95, samples: int = _SAMPLES, seed: int = _SEED
) -> Interval:
    """
    Return the mean and its percentile bootstrap interval; the same scores and seed give the same bits.

    The same questions are drawn for every list of the same length, so intervals of systems asked the same questions
    are paired. Memory stays below 64 MB, whatever the number of questions up to a million.

    Args:
        scores: one a question.
        confidence: between 0 and 1, both excluded.

    Raises:
        ValueError: there are no scores, one is not a finite number, or confidence or samples are out of range.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not values.size:
        raise ValueError("there are no scores to resample")
    if not np.isfinite(values).all():
        raise ValueError(f"score {int(np.flatnonzero(~np.isfinite(values))[0])} is not a finite number")
    if not 0 < confidence < 1 or samples < 1:
        raise ValueError(
            f"confidence must lie between 0 and 1 and samples be at least 1, not {confidence} and {samples}"
        )
    tail = (1 - confidence) / 2
    low, high = np.quantile(_resampled_means(values, samples, seed), (tail, 1 - tail))
    return Interval(float(values.mean()), float(low), float(high), len(values), confidence)


def paired_interval(
    scores: Sequence[float],
    baseline: Sequence[float],
    *,
    confidence: float = 0.95,
    samples: int = _SAMPLES,
    seed: int = _SEED,
) -> Interval:
    """
    Return the mean difference to a baseline, question by question, and its interval; positive is above the baseline.

    Raises:
        ValueError: the two are not about the same number of questions, or what `mean_interval` refuses.
    """
    if len(scores) != len(baseline):
        raise ValueError(
            f"{len(scores)} scores cannot be paired with {len(baseline)}: ask both systems the same questions"
        )
    differences = [one - other for one, other in zip(scores, baseline, strict=True)]
    return mean_interval(differences, confidence=confidence, samples=samples, seed=seed)


def difference_interval(
    scores: Mapping[str, float],
    baseline: Mapping[str, float],
    *,
    confidence: float = 0.95,
    samples: int = _SAMPLES,
    seed: int = _SEED,
) -> Interval:
    """
    Return `paired_interval` of scores by query id, in sorted order of the ids: the order of the runs does not matter.

    Raises:
        ValueError: a query is in one of the two only, or what `mean_interval` refuses.
    """
    unpaired = sorted(scores.keys() ^ baseline.keys())
    if unpaired:
        raise ValueError(
            f"{len(unpaired)} queries are scored on one side only, such as {unpaired[0]!r}: compare runs over "
            "the same queries"
        )
    queries = sorted(scores)
    return paired_interval(
        [scores[query] for query in queries],
        [baseline[query] for query in queries],
        confidence=confidence,
        samples=samples,
        seed=seed,
    )


def _resampled_means(values: NDArray[np.float64], samples: int, seed: int) -> NDArray[np.float64]:
    """(samples,) means of as many questions as there are, drawn with replacement; drawn in blocks to bound memory."""
    chance = np.random.default_rng(seed)
    block = max(1, _DRAWN_AT_ONCE // len(values))
    means = [
        values[chance.integers(len(values), size=(min(block, samples - start), len(values)))].mean(axis=1)
        for start in range(0, samples, block)
    ]
    return np.concatenate(means)
