"""The best of many scores; ties go to the lower page id."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best(
    scores: NDArray[np.int32] | NDArray[np.float32], page_ids: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    """The places of the k highest of n scores, or of all, best first, ties by page id; ids are unique."""
    if k >= len(scores):
        chosen = np.arange(len(scores))
    else:
        last = np.partition(scores, len(scores) - k)[len(scores) - k]
        above = np.flatnonzero(scores > last)
        level = np.flatnonzero(scores == last)
        needed = k - len(above)
        if needed < len(level):
            level = level[np.argpartition(page_ids[level], needed - 1)[:needed]]
        chosen = np.concatenate([above, level])
    return chosen[np.lexsort((page_ids[chosen], -scores[chosen]))]
