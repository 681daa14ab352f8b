"""What is written around the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["FROM_TRAINING", "FROM_VLLM", "FrameStyle", "frame_texts"]


@dataclass(frozen=True, slots=True)
class FrameStyle:
    """
    What is written around frames, beside their labels. Sources differ; the default is TensorRT-LLM's, whose token
    counts are published.

    Attributes:
        prefix: before the first frame.
        between: between frames.
        after: behind every frame.
    """

    prefix: str = "This is a video:\n"
    between: str = ""
    after: str = ""


FROM_TRAINING = FrameStyle(after="\n")
"""As the model's training loader writes them."""
FROM_VLLM = FrameStyle(prefix="", between="\n")
"""As recent vLLM writes them."""


def frame_texts(count: int, times_s: Sequence[float], style: FrameStyle) -> tuple[tuple[str, str], ...]:
    """
    Write what stands before and behind each frame.

    Args:
        count: of frames, numbered from 1.
        times_s: of each; none when they are not known.
        style: what is written beside the labels.
    """
    texts = []
    for index in range(count):
        opening = style.between if index else style.prefix
        sampled = f" sampled at {times_s[index]:.2f} seconds" if times_s else ""
        texts.append((f"{opening}Frame {index + 1}{sampled}: ", style.after))
    return tuple(texts)
