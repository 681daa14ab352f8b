"""Which frames of a video are shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["frame_times", "rate_indices", "uniform_indices"]


def uniform_indices(frames: int, count: int) -> tuple[int, ...]:
    """
    Choose frames spread evenly over a video, the first and the last among them; all of them when there are fewer.

    Args:
        frames: of the video, at least 1.
        count: to choose, at least 1.

    Raises:
        ValueError: a number below 1.
    """
    if frames < 1 or count < 1:
        raise ValueError(f"{count} of {frames} frames cannot be chosen")
    return tuple(int(index) for index in np.linspace(0, frames - 1, min(count, frames)).astype(np.int64))


def rate_indices(
    frames: int, frames_per_s: float, *, rate_per_s: float = 2.0, least: int = 8, most: int = 128
) -> tuple[int, ...]:
    """
    Choose frames at a rate, as the model was trained: 2 a second, at least 8, at most 128, then spread evenly.

    Args:
        frames: of the video, at least 1.
        frames_per_s: of the video.
        rate_per_s: of the choice.
        least, most: number of frames chosen; a video with fewer than `least` gives all it has.

    Raises:
        ValueError: a number that is not above 0, or `least` above `most`.
    """
    if not (frames_per_s > 0 and rate_per_s > 0 and 1 <= least <= most):
        raise ValueError(
            f"{frames_per_s} frames a second cannot be sampled at {rate_per_s}, at least {least}, at most {most}"
        )
    wanted = round(frames / frames_per_s * rate_per_s)
    return uniform_indices(frames, min(max(wanted, least), most))


def frame_times(indices: Sequence[int], frames_per_s: float) -> tuple[float, ...]:
    """
    When frames are shown, seconds; the time from one frame to the next is cut to whole milliseconds, as the model's
    own processor does.

    Raises:
        ValueError: the rate is not above 0.
    """
    if not frames_per_s > 0:
        raise ValueError(f"a video of {frames_per_s} frames a second has no times")
    return tuple(index * int(1000 / frames_per_s) / 1000 for index in indices)
