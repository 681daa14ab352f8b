"""Which tokens of a video are dropped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ragvl.generator.nemotron.video.evs import prune, retained


def _frames(count: int, side: int = 4, seed: int = 0, still: float = 0.5) -> torch.Tensor:
    """Features (frames, side * side, 24), where many tokens change little from frame to frame."""
    random = torch.Generator().manual_seed(seed)
    frames = torch.randn(count, side * side, 24, generator=random)
    for frame in range(1, count):
        same = torch.rand(side * side, 1, generator=random) < still
        noise = frames[frame] * 0.01
        frames[frame] = torch.where(same, frames[frame - 1] + noise, frames[frame])
    return frames


def _transcribed(features: torch.Tensor, rate: float) -> list[list[int]]:
    """The formula, word for word, in float64 and without torch."""
    e = features.double().numpy()
    frames, tokens = e.shape[:2]
    d = np.full((frames, tokens), 255.0)
    for t in range(1, frames):
        for n in range(tokens):
            dot = float(e[t, n] @ e[t - 1, n])
            d[t, n] = 1 - dot / (np.linalg.norm(e[t, n]) * np.linalg.norm(e[t - 1, n]))
    k = max(tokens, int(frames * tokens * (1 - rate)))
    order = sorted(range(frames * tokens), key=lambda i: (-d.flat[i], i))
    kept = set(order[:k])
    return [[n for n in range(tokens) if t * tokens + n in kept] for t in range(frames)]


_CASES = [(1, 0.5), (2, 0.3), (8, 0.0), (8, 0.5), (8, 0.75), (9, 0.9), (5, 0.99)]


@pytest.mark.parametrize(("count", "rate"), _CASES)
def test_against_the_formula(count: int, rate: float) -> None:
    """The same tokens stay."""
    features = _frames(count)
    mask = retained(features, rate)
    assert [row.nonzero().flatten().tolist() for row in mask] == _transcribed(features, rate)
    assert mask[0].all()
    assert mask.sum() == max(16, int(count * 16 * (1 - rate)))


@pytest.mark.parametrize(("count", "rate"), _CASES)
def test_against_transformers(count: int, rate: float) -> None:
    """Its function for the model's successor keeps the same, ties among them."""
    from transformers.models.nemotron_h_omni.modeling_nemotron_h_omni import compute_retention_mask

    features = _frames(count, seed=3)
    features[:, 5] = 1.0  # never changes: all as much
    theirs = compute_retention_mask(
        video_embeds=features.flatten(0, 1), thw=(count, 4, 4), spatial_merge_size=1, q=rate
    )
    assert torch.equal(retained(features, rate).flatten(), theirs)


def test_frames_are_pruned_in_order() -> None:
    """A scene that stands still keeps its first frame; where it changes, tokens stay."""
    first, second = _frames(2, still=0.0)
    pruned = prune([first, first, second, second, second, second, second, second], 0.75)
    assert pruned.counts == (16, 0, 16, 0, 0, 0, 0, 0)
    assert torch.equal(pruned.values, torch.cat([first, second]))


def test_nothing_is_pruned_at_rate_0() -> None:
    """All tokens stay, in their precision."""
    frames = list(_frames(3).bfloat16())
    pruned = prune(frames, 0.0)
    assert pruned.counts == (16, 16, 16)
    assert torch.equal(pruned.values, torch.cat(frames))


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_rates_out_of_range(rate: float) -> None:
    """A share is at least 0, and not all can go."""
    with pytest.raises(ValueError, match="pruning rate"):
        prune(list(_frames(2)), rate)
