"""Which frames are shown, and what is written around them."""

from __future__ import annotations

import pytest
from PIL import Image

from ragvl.generator.nemotron.video.clip import Video
from ragvl.generator.nemotron.video.labels import FROM_VLLM, FrameStyle, frame_texts
from ragvl.generator.nemotron.video.sampling import frame_times, rate_indices, uniform_indices


def test_frames_are_spread_evenly() -> None:
    """First and last among them, none twice."""
    assert uniform_indices(101, 5) == (0, 25, 50, 75, 100)
    assert uniform_indices(10, 4) == (0, 3, 6, 9)
    assert uniform_indices(3, 8) == (0, 1, 2)
    assert uniform_indices(7, 1) == (0,)
    assert len(set(uniform_indices(1000, 128))) == 128


@pytest.mark.parametrize(
    ("frames", "frames_per_s", "count"),
    [(300, 30, 20), (30, 30, 8), (5, 30, 5), (30 * 600, 30, 128), (1500, 25, 120), (64 * 24, 23.976, 128)],
)
def test_two_frames_a_second(frames: int, frames_per_s: float, count: int) -> None:
    """At least 8 where there are as many, at most 128."""
    indices = rate_indices(frames, frames_per_s)
    assert len(indices) == count
    assert indices[0] == 0
    assert indices[-1] == frames - 1


def test_times_are_in_whole_milliseconds_a_frame() -> None:
    """As the model's own processor counts them: at 30 frames a second a frame takes 33 ms."""
    assert frame_times([0, 30, 300], 30) == (0.0, 0.99, 9.9)
    assert frame_times([25], 25) == (1.0,)


def test_numbers_that_cannot_be() -> None:
    """Refused, before anything is divided by them."""
    for wrong in (
        lambda: uniform_indices(0, 4),
        lambda: uniform_indices(4, 0),
        lambda: rate_indices(10, 0.0),
        lambda: rate_indices(10, 25, least=9, most=8),
        lambda: frame_times([1], 0),
        lambda: Video(()),
        lambda: Video((Image.new("RGB", (4, 4)),), (0.0, 1.0)),
    ):
        with pytest.raises(ValueError, match=r"frame|video"):
            wrong()


def test_labels() -> None:
    """Frames count from 1; the style says what is before, between and behind."""
    assert frame_texts(2, (0.0, 1.5), FrameStyle()) == (
        ("This is a video:\nFrame 1 sampled at 0.00 seconds: ", ""),
        ("Frame 2 sampled at 1.50 seconds: ", ""),
    )
    assert frame_texts(2, (), FROM_VLLM) == (("Frame 1: ", ""), ("\nFrame 2: ", ""))
