"""Efficient video sampling (arXiv 2510.14624): tokens that hardly differ from the frame before are dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

__all__ = ["PrunedVideo", "prune", "retained"]

_FIRST_FRAME = 255.0  # beyond any difference: the first frame is kept


@dataclass(frozen=True, slots=True, eq=False)
class PrunedVideo:
    """
    A video's features after pruning.

    Attributes:
        values: (tokens kept, hidden), in the order of the frames.
        counts: tokens kept of each frame; that of a still frame may be 0.
    """

    values: torch.Tensor
    counts: tuple[int, ...]


def retained(features: torch.Tensor, rate: float) -> torch.Tensor:
    """
    Choose the tokens that stay: those that differ most, by cosine, from the token at their place a frame before.

    Args:
        features: (frames, tokens, hidden), after the projector; computed with in float32.
        rate: share of the video's tokens that is dropped, from 0 to below 1; the first frame always stays whole.

    Returns:
        (frames, tokens) bool. Of tokens that differ as much, the earlier stay.

    Raises:
        ValueError: the rate is out of range.
    """
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"a video's pruning rate must be from 0 to below 1, not {rate}")
    frames, tokens, _ = features.shape
    change = torch.full((frames, tokens), _FIRST_FRAME, device=features.device)
    for frame in range(1, frames):
        now, before = features[frame].float(), features[frame - 1].float()
        change[frame] = 1 - F.cosine_similarity(now, before, dim=-1)
    kept = max(tokens, int(frames * tokens * (1 - rate)))
    order = change.flatten().argsort(descending=True, stable=True)
    mask = torch.zeros(frames * tokens, dtype=torch.bool, device=features.device)
    mask[order[:kept]] = True
    return mask.view(frames, tokens)


def prune(frames: Sequence[torch.Tensor], rate: float) -> PrunedVideo:
    """
    Drop tokens of a video.

    Args:
        frames: features of each, (tokens, hidden), as many tokens in each.
        rate: see `retained`; 0 drops none.

    Raises:
        ValueError: the rate is out of range.
    """
    features = torch.stack(list(frames))
    if rate == 0:
        return PrunedVideo(features.flatten(0, 1), (features.shape[1],) * len(frames))
    mask = retained(features, rate)
    counts: list[int] = mask.sum(dim=1).tolist()
    return PrunedVideo(features[mask], tuple(counts))
