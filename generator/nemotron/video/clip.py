"""A video as it comes into a prompt: frames that were chosen, and when they were shown."""

from __future__ import annotations

from dataclasses import dataclass

from ragvl.generator.nemotron.vision.images import Picture

__all__ = ["Video"]


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """
    Frames of a video in order; all of them are shown.

    Attributes:
        frames: chosen by `uniform_indices` or `rate_indices`, for instance.
        times_s: of each frame, seconds from the beginning; none when they are not known.

    Raises:
        ValueError: there are no frames, or as many times as frames are not given.
    """

    frames: tuple[Picture, ...]
    times_s: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be labelled."""
        if not self.frames:
            raise ValueError("a video needs at least one frame")
        if self.times_s and len(self.times_s) != len(self.frames):
            raise ValueError(f"a video of {len(self.frames)} frames has {len(self.times_s)} times")
