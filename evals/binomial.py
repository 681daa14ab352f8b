"""
How large a share may be of which a few cases were seen: one-sided bounds that hold for any number of cases.

Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", 1934.
"""

from __future__ import annotations

import math

__all__ = ["at_most", "chance_of_at_most", "fewest_without_a_case"]

_HALVINGS = 60


def chance_of_at_most(seen: int, total: int, share: float) -> float:
    """Return the probability that a share of `total` gives no more than `seen` cases."""
    if seen >= total or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    terms = [
        math.lgamma(total + 1)
        - math.lgamma(case + 1)
        - math.lgamma(total - case + 1)
        + case * math.log(share)
        + (total - case) * math.log1p(-share)
        for case in range(seen + 1)
    ]
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def at_most(seen: int, total: int, confidence: float) -> float:
    """
    Return the largest share that is consistent with what was seen (the upper Clopper-Pearson bound).

    Args:
        seen: cases, of `total` trials; nothing tried gives 1.
        confidence: how often such a bound is not too small, between 0 and 1.

    Raises:
        ValueError: counts or confidence out of range.
    """
    if not 0 <= seen <= total or not 0 < confidence < 1:
        raise ValueError(f"no bound for {seen} of {total} at confidence {confidence}")
    if seen == total:
        return 1.0
    low, high = seen / total, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if chance_of_at_most(seen, total, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def fewest_without_a_case(share: float, confidence: float) -> int:
    """Return how many trials without any case show that the share is not larger."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-share))
