"""Pictures to features, each once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ragvl.generator.nemotron.settings import CheckpointConfig, read_config
from ragvl.generator.nemotron.vision.features import FeatureCache
from ragvl.generator.nemotron.vision.images import cut_tiles, decode
from ragvl.generator.nemotron.vision.model import VisionModel, load_vision
from ragvl.generator.nemotron.vision.pictures import PictureEncoder, Seeing, Shown
from ragvl.generator.nemotron.vision.settings import VisionSettings
from tests.generator.nemotron.vision.tiny_vision import (
    TILE_PX,
    TILE_TOKENS,
    VISION_CONFIG,
    page_image,
    write_vision_checkpoint,
)

_PAGE = page_image(3 * TILE_PX, 2 * TILE_PX)


class _Watched:
    """Loads the vision model, and counts how often, and which batches it sees."""

    def __init__(self, config: CheckpointConfig, settings: VisionSettings, batch_tiles: int = 32) -> None:
        self.loads = 0
        self.batches: list[int] = []
        self._arguments = (config, settings, batch_tiles)

    def __call__(self) -> VisionModel:
        self.loads += 1
        config, settings, batch_tiles = self._arguments
        model = load_vision(config, settings, "cpu", batch_tiles=batch_tiles)
        see = model._radio

        def watched(tiles: torch.Tensor) -> torch.Tensor:
            self.batches.append(len(tiles))
            return see(tiles)

        model._radio = watched
        return model


def test_features_are_those_of_the_tiles(config: CheckpointConfig, settings: VisionSettings) -> None:
    """Tile by tile in order, the thumbnail's last; as many as were counted."""
    encoder = PictureEncoder(config, "cpu")
    (found,) = encoder.encode([Shown(_PAGE)])
    wanted = load_vision(config, settings, "cpu").encode(cut_tiles(decode(_PAGE), settings))
    torch.testing.assert_close(found.values, wanted.flatten(0, 1))
    assert len(found.values) == 7 * TILE_TOKENS == encoder.token_count(_PAGE.width_px, _PAGE.height_px)


def test_a_frame_is_one_tile(config: CheckpointConfig) -> None:
    """The same picture as a page and as a frame are two things."""
    encoder = PictureEncoder(config, "cpu")
    page, frame = encoder.encode([Shown(_PAGE), Shown(_PAGE, is_frame=True)])
    assert len(frame.values) == TILE_TOKENS
    assert page.key != frame.key
    torch.testing.assert_close(frame.values, page.values[-TILE_TOKENS:], rtol=1e-4, atol=1e-5)


def test_pictures_are_seen_together_in_order(config: CheckpointConfig, settings: VisionSettings) -> None:
    """As many as a batch takes, a picture's tiles together where they fit; the same picture once."""
    load = _Watched(config, settings, batch_tiles=16)
    encoder = PictureEncoder(config, "cpu", load=load)
    pages = [page_image(3 * TILE_PX, 2 * TILE_PX, seed) for seed in range(3)]
    items = [Shown(page) for page in (*pages, pages[1])] + [Shown(pages[0], is_frame=True)]
    found = encoder.encode(items)
    assert load.batches == [14, 8]
    assert found[3].key == found[1].key
    for item, features in zip(items, found, strict=True):
        (alone,) = PictureEncoder(config, "cpu").encode([item])
        torch.testing.assert_close(features.values, alone.values, rtol=1e-4, atol=1e-5)
    assert encoder.encode([]) == []


def test_a_page_is_seen_once_ever(tmp_path: Path, config: CheckpointConfig, settings: VisionSettings) -> None:
    """A second process finds what the first kept, bit for bit, and does not even read the weights."""
    first, second = _Watched(config, settings), _Watched(config, settings)
    cache = FeatureCache(tmp_path)
    (made,) = PictureEncoder(config, "cpu", cache=cache, load=first).encode([Shown(_PAGE)])
    (kept,) = PictureEncoder(config, "cpu", cache=FeatureCache(tmp_path), load=second).encode([Shown(_PAGE)])
    assert (first.loads, second.loads) == (1, 0)
    assert torch.equal(made.values, kept.values)
    assert made.key == kept.key


def test_other_settings_are_other_features(
    tmp_path: Path, config: CheckpointConfig, settings: VisionSettings
) -> None:
    """Another picture, number of tiles, interpolation, precision or model is seen anew."""
    mean = [0.1, 0.1, 0.1]
    other = read_config(
        write_vision_checkpoint(tmp_path / "other", config=VISION_CONFIG | {"norm_mean": mean})
    )
    variants = [
        PictureEncoder(config, "cpu"),
        PictureEncoder(config, "cpu", Seeing(max_tiles=2)),
        PictureEncoder(config, "cpu", Seeing(align_corners=True)),
        PictureEncoder(config, "cpu", cache=FeatureCache(tmp_path / "kept", precision="float8")),
        PictureEncoder(other, "cpu"),
    ]
    keys = [encoder.encode([Shown(_PAGE)])[0].key for encoder in variants]
    keys += [variants[0].encode([Shown(replace(_PAGE, data=page_image(9, 9).data))])[0].key]
    assert len(set(keys)) == len(keys)


def test_weights_are_read_again_after_they_were_given_up(
    config: CheckpointConfig, settings: VisionSettings
) -> None:
    """`free` is not the end."""
    load = _Watched(config, settings)
    encoder = PictureEncoder(config, "cpu", load=load)
    assert load.loads == 0
    for _ in range(2):
        encoder.encode([Shown(_PAGE)])
    encoder.free()
    encoder.encode([Shown(_PAGE)])
    assert load.loads == 2


def test_settings_that_cannot_be() -> None:
    """Numbers below 1 are refused by name."""
    with pytest.raises(ValueError, match="max_tiles"):
        Seeing(max_tiles=0)
    with pytest.raises(ValueError, match="batch_tiles"):
        Seeing(batch_tiles=0)
