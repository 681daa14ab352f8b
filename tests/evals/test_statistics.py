"""Bootstrap intervals and what they say of a difference."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from ragvl.evals.statistics import (
    BETTER,
    INSIDE_THE_NOISE,
    WORSE,
    Interval,
    difference_interval,
    mean_interval,
    paired_interval,
)

SCORES = [0.1, 0.9, 0.4, 0.6]


def test_intervals_are_repeatable() -> None:
    """The same scores and seed give the same interval; another seed another one."""
    assert mean_interval(SCORES) == mean_interval(SCORES)
    assert mean_interval(SCORES).mean == pytest.approx(0.5)
    assert mean_interval(SCORES * 5, seed=1) != mean_interval(SCORES * 5, seed=2)


def test_interval_is_the_percentiles_of_resampled_means() -> None:
    """Of two questions, 0 and 1, a quarter of the samples means 0, a quarter 1: both ends are held at 95 %."""
    assert mean_interval([0.0, 1.0]) == Interval(0.5, 0.0, 1.0, 2)
    narrow = mean_interval([0.0, 1.0], confidence=0.4)
    assert (narrow.low, narrow.high) == (0.5, 0.5)


def test_interval_agrees_with_the_normal_approximation() -> None:
    """Of many questions, the bounds lie 1.96 standard errors from the mean."""
    scores = np.random.default_rng(1).random(2000).tolist()
    interval = mean_interval(scores)
    error = float(np.std(scores) / np.sqrt(len(scores)))
    assert interval.high - interval.mean == pytest.approx(1.96 * error, rel=0.05)
    assert interval.mean - interval.low == pytest.approx(1.96 * error, rel=0.05)


def test_blocks_do_not_change_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing in small blocks, to save memory, gives the interval of one large block."""
    scores = np.random.default_rng(2).random(37).tolist()
    whole = mean_interval(scores)
    monkeypatch.setattr("ragvl.evals.statistics._DRAWN_AT_ONCE", 1000)
    assert mean_interval(scores) == whole


def test_memory_is_bounded() -> None:
    """A hundred thousand questions and a hundred samples, 160 MB at once, take less than 64 MB."""
    scores = np.linspace(0, 1, 100_000)
    tracemalloc.start()
    try:
        mean_interval(scores.tolist(), samples=100)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_constant_differences_have_no_width() -> None:
    """Whatever the scores, a system that is better by 0.1 everywhere is better by 0.1."""
    difference = paired_interval([score + 0.1 for score in SCORES], SCORES)
    assert (difference.low, difference.high) == (pytest.approx(0.1), pytest.approx(0.1))
    assert difference.verdict == BETTER


def test_pairing_is_by_query() -> None:
    """Two runs in another order are compared query by query."""
    first = {"a": 0.9, "b": 0.1, "c": 0.5}
    second = {"c": 0.6, "a": 1.0, "b": 0.2}
    difference = difference_interval(first, second)
    assert difference.high == pytest.approx(-0.1)
    assert difference.verdict == WORSE
    assert difference == difference_interval(dict(reversed(first.items())), second)


def test_intervals_that_hold_zero_are_inside_the_noise() -> None:
    """No difference, a difference that is sometimes none, and a single question say nothing."""
    assert paired_interval(SCORES, SCORES).verdict == INSIDE_THE_NOISE
    assert mean_interval([0.3, -0.3, 0.1]).verdict == INSIDE_THE_NOISE
    assert mean_interval([0.0, 0.2, 0.2]).verdict == INSIDE_THE_NOISE
    assert mean_interval([0.2]).verdict == INSIDE_THE_NOISE


def test_intervals_are_written_with_three_digits() -> None:
    """Differences carry their sign."""
    interval = Interval(0.1234, -0.01, 0.25, 10)
    assert str(interval) == "0.123 [-0.010, 0.250]"
    assert interval.signed == "+0.123 [-0.010, +0.250]"


def test_what_cannot_be_resampled_is_refused() -> None:
    """No scores, a score that is no number, unequal lengths and other queries are errors that say so."""
    with pytest.raises(ValueError, match="no scores"):
        mean_interval([])
    with pytest.raises(ValueError, match="score 1 is not a finite number"):
        mean_interval([0.1, float("nan")])
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_interval([0.1], confidence=95)
    with pytest.raises(ValueError, match="2 scores cannot be paired with 1"):
        paired_interval([0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="such as 'b'"):
        difference_interval({"a": 1.0, "b": 1.0}, {"a": 1.0})
