"""
One threshold with a promise: of the answers whose support reaches it, no more than a stated share cites a wrong page.

Many thresholds are looked at, so that a bound on the best of them would be too good. Here thresholds are tested in an
order that is fixed before it is known which answers are wrong: from the strictest that could pass to looser ones, up
to the first that fails (fixed sequence testing, Angelopoulos et al., "Learn then test", 2021, section 3.2). No
correction is needed within such a walk. There are several walks, which begin at all answers, half of them, a quarter
and so on, and share the allowed chance of a false promise between them.

The test is that of `ragvl.evals.binomial`. It takes the questions as independent of one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragvl.evals.binomial import at_most, chance_of_at_most, fewest_without_a_case

__all__ = ["Level", "Promise", "choose_threshold", "cost_of", "least_error", "level_of", "questions_needed"]

Floats = NDArray[np.float64]

_TIMES = (2, 3, 4, 6, 8)  # beyond, a handful of answers would decide


@dataclass(frozen=True, slots=True)
class Promise:
    """
    What is to be promised.

    Attributes:
        error: largest share of the answers given that cite a wrong page, between 0 and 1.
        confidence: how sure that shall be, between 0 and 1.
    """

    error: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        for name, value in (("error", self.error), ("confidence", self.confidence)):
            if not 0 < value < 1:
                raise ValueError(f"{name} must lie between 0 and 1, not {value}")


@dataclass(frozen=True, slots=True)
class Level:
    """
    What answering from a support upward costs.

    Attributes:
        refuse_below: the support.
        answered, wrong: questions answered, and those of them that cite a wrong page.
        asked: all questions.
        wrong_at_most: upper bound of the share of wrong ones among those answered; 1 where nothing is answered.
    """

    refuse_below: float
    answered: int
    wrong: int
    asked: int
    wrong_at_most: float

    @property
    def answered_share(self) -> float:
        """Of all questions, from 0 to 1."""
        return self.answered / self.asked if self.asked else 0.0

    @property
    def wrong_share(self) -> float:
        """Of those answered, from 0 to 1; 0 where nothing is answered."""
        return self.wrong / self.answered if self.answered else 0.0


def choose_threshold(support: Floats, right: Floats, asked: int, promise: Promise) -> Level | None:
    """
    Find the threshold that answers most and keeps the promise.

    Args:
        support: (n,) from 0 to 1, of the answers that could be given.
        right: (n,) 1 where the answer's page is right, else 0.
        asked: all questions, those that are refused whatever the threshold included.

    Returns:
        None when no threshold can promise it with these questions.
    """
    thresholds, counts = np.unique(support, return_counts=True)
    answered = counts[::-1].cumsum()  # at each threshold, strictest first
    wrongs = np.bincount(np.searchsorted(thresholds, support), right < 1, len(thresholds))
    wrong = wrongs[::-1].cumsum().round().astype(int)
    sure = level_of(len(support), promise)
    best = -1
    for start in _walks(len(support), promise):
        place = int(np.searchsorted(answered, start))
        while place < len(answered):
            if chance_of_at_most(int(wrong[place]), int(answered[place]), promise.error) > 1 - sure:
                break
            best = max(best, place)
            place += 1
    if best < 0:
        return None
    return cost_of(support, right, asked, float(thresholds[::-1][best]), sure)


def level_of(count: int, promise: Promise) -> float:
    """Return the confidence of each test over so many answers, such that all of them together have that of the promise."""
    return 1 - (1 - promise.confidence) / max(1, len(_walks(count, promise)))


def cost_of(support: Floats, right: Floats, asked: int, refuse_below: float, sure: float) -> Level:
    """Count what a threshold costs; its bound is of confidence `sure` for this threshold alone."""
    given = support >= refuse_below
    answered, wrong = int(given.sum()), int((right[given] < 1).sum())
    return Level(refuse_below, answered, wrong, asked, at_most(wrong, answered, sure) if answered else 1.0)


def least_error(support: Floats, right: Floats, asked: int, confidence: float) -> float | None:
    """Return the smallest error, in whole percent, that some threshold can promise; None when none below 1 can."""
    errors = (percent / 100 for percent in range(1, 100))
    return next((e for e in errors if choose_threshold(support, right, asked, Promise(e, confidence))), None)


def questions_needed(support: Floats, right: Floats, asked: int, promise: Promise) -> int | None:
    """
    Return how many questions like those asked it would take for a threshold to keep the promise, roughly.

    Each answer is taken several times over.

    Returns:
        None when not even eight times as many would do.
    """
    for times in _TIMES:
        many = np.repeat(support, times), np.repeat(right, times)
        if choose_threshold(*many, times * asked, promise):
            return times * asked
    return None


def _walks(count: int, promise: Promise) -> list[int]:
    """Numbers of answers at which walks begin; none where so few answers cannot show anything."""
    starts: list[int] = []
    while True:
        start = count >> len(starts)
        sure = 1 - (1 - promise.confidence) / (len(starts) + 1)
        if start < fewest_without_a_case(promise.error, sure):
            return starts
        starts.append(start)
