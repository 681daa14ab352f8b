"""The vision side against an independent reading of the same weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ragvl.errors import DeviceMemoryError, MissingExtraError, ModelFileError
from ragvl.generator.nemotron.settings import CheckpointConfig, read_config
from ragvl.generator.nemotron.vision.model import VisionModel, load_vision
from ragvl.generator.nemotron.vision.pixel_shuffle import pixel_shuffle
from ragvl.generator.nemotron.vision.settings import VisionSettings
from tests.generator.nemotron.tiny import HIDDEN
from tests.generator.nemotron.vision.tiny_vision import (
    CLASS_TOKENS,
    TILE_PX,
    TILE_TOKENS,
    WIDTH,
    reference_patches,
    vision_tensors,
    write_vision_checkpoint,
)


def _tiles(count: int) -> torch.Tensor:
    return torch.randn(count, 3, TILE_PX, TILE_PX, generator=torch.Generator().manual_seed(5))


def _projected(tensors: dict[str, torch.Tensor], patches: torch.Tensor) -> torch.Tensor:
    """Shuffle and project, by transformers' modules for the model's successor, which has the same ones."""
    from transformers.models.nemotron_h_omni.modeling_nemotron_h_omni import (
        NemotronH_Omni_Reasoning_V3 as Omni,
    )
    from transformers.models.nemotron_h_omni.modeling_nemotron_h_omni import (
        NemotronH_Omni_Reasoning_V3MultiModalProjector as Theirs,
    )

    side = round(patches.shape[1] ** 0.5)
    square = patches.view(len(patches), side, side, -1)
    shuffled = Omni.pixel_shuffle(None, square, 0.5).flatten(1, 2)
    theirs: Any = Theirs(4 * WIDTH, tensors["mlp1.1.weight"].shape[0], HIDDEN)
    names = {"layer_norm.weight": "mlp1.0.weight", "linear_1.weight": "mlp1.1.weight"}
    theirs.load_state_dict(
        {ours: tensors[name] for ours, name in (names | {"linear_2.weight": "mlp1.3.weight"}).items()}
    )
    with torch.no_grad():
        result: torch.Tensor = theirs(shuffled)
    return result


@pytest.mark.parametrize("align_corners", [False, True])
def test_features_are_those_of_an_independent_reading(
    config: CheckpointConfig, settings: VisionSettings, align_corners: bool
) -> None:
    """Names, order of queries, keys and values, positions, dropped class tokens, shuffle, norm and projector."""
    tensors, tiles = vision_tensors(), _tiles(3)
    model = load_vision(config, settings, "cpu", align_corners=align_corners)
    found = model.encode(tiles)
    assert found.shape == (3, TILE_TOKENS, HIDDEN)
    wanted = _projected(tensors, reference_patches(tensors, tiles, align_corners=align_corners))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    other = _projected(tensors, reference_patches(tensors, tiles, align_corners=not align_corners))
    assert (found - other).abs().max() > 0.05


def test_patches_are_bit_near_to_the_reference(config: CheckpointConfig, settings: VisionSettings) -> None:
    """Before the projector: 16 patches a tile, the class tokens gone."""
    tiles = _tiles(2)
    seen: list[torch.Tensor] = []
    model = load_vision(config, settings, "cpu")
    model._projector = lambda merged: seen.append(merged) or merged
    model.encode(tiles)
    wanted = pixel_shuffle(reference_patches(vision_tensors(), tiles), 2)
    torch.testing.assert_close(seen[0], wanted, rtol=1e-5, atol=1e-5)


def test_bfloat16_is_near(config: CheckpointConfig, settings: VisionSettings) -> None:
    """In the precision of a GPU the features differ by rounding only."""
    exact = load_vision(config, settings, "cpu").encode(_tiles(2))
    rounded = load_vision(config, settings, "cpu", dtype=torch.bfloat16).encode(_tiles(2))
    assert rounded.dtype is torch.bfloat16
    assert (rounded.float() - exact).norm() / exact.norm() < 0.03


def test_any_number_of_class_tokens(tmp_path: Path, settings: VisionSettings) -> None:
    """It is the tensor's rows: the released checkpoint is thought to have 16, others 8 or 10."""
    tensors = vision_tensors()
    name = "vision_model.radio_model.model.patch_generator.cls_token.token"
    tensors[name] = torch.randn(CLASS_TOKENS + 4, WIDTH)
    config = read_config(write_vision_checkpoint(tmp_path, tensors=tensors))
    found = load_vision(config, settings, "cpu").encode(_tiles(1))
    wanted = _projected(tensors, reference_patches(tensors, _tiles(1)))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_pixel_shuffle_order() -> None:
    """Of each square of patches: upper left, upper right, lower left, lower right."""
    patches = torch.arange(16).view(1, 16, 1)
    squares = [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    assert pixel_shuffle(patches, 2)[0].tolist() == squares
    assert torch.equal(pixel_shuffle(patches, 1), patches)


def test_a_projector_in_8_bits(tmp_path: Path, settings: VisionSettings) -> None:
    """A quantised checkpoint may have quantised its matrices; the scales beside them tell."""
    tensors = vision_tensors()
    exact = _projected(tensors, reference_patches(tensors, _tiles(1)))
    for name in ("mlp1.1", "mlp1.3"):
        weight = tensors[f"{name}.weight"]
        scale = weight.abs().amax() / 448
        tensors |= {
            f"{name}.weight": (weight / scale).to(torch.float8_e4m3fn),
            f"{name}.weight_scale": scale.reshape(()),
            f"{name}.input_scale": torch.tensor(1.0),
        }
    config = read_config(write_vision_checkpoint(tmp_path, tensors=tensors))
    found = load_vision(config, settings, "cpu").encode(_tiles(1))
    assert 0 < (found - exact).norm() / exact.norm() < 0.1


def _without(name: str) -> dict[str, torch.Tensor]:
    return {full: tensor for full, tensor in vision_tensors().items() if full != name}


_MODEL = "vision_model.radio_model.model."


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (vision_tensors() | {f"{_MODEL}blocks.0.ls1.gamma": torch.ones(WIDTH)}, r"blocks\.0\.ls1\.gamma"),
        (vision_tensors() | {f"{_MODEL}norm.weight": torch.ones(WIDTH)}, r"model\.norm\.weight"),
        (_without(f"{_MODEL}blocks.1.attn.qkv.weight"), r"layer\.1\.attention\.k_proj\.weight"),
        (_without(f"{_MODEL}patch_generator.pos_embed"), "pos_embed is absent"),
        (
            vision_tensors() | {f"{_MODEL}patch_generator.pos_embed": torch.zeros(1, 60, WIDTH)},
            "a square number",
        ),
        (vision_tensors() | {f"{_MODEL}patch_generator.embedder.weight": torch.zeros(WIDTH, 588)}, "588"),
        (
            vision_tensors() | {f"{_MODEL}blocks.1.mlp.fc1.weight": torch.zeros(7, WIDTH)},
            r"layer\.1\.mlp\.fc1\.weight: \(7, 32\)",
        ),
        (_without("mlp1.3.weight"), r"missing:\s+mlp1\.3\.weight"),
        (vision_tensors() | {"mlp1.1.bias": torch.zeros(48)}, r"unexpected:\s+mlp1\.1\.bias"),
        (vision_tensors() | {"mlp1.0.weight": torch.ones(5)}, r"\(128,\) is needed"),
    ],
)
def test_tensors_that_do_not_fit(
    tmp_path: Path, settings: VisionSettings, tensors: dict[str, torch.Tensor], said: str
) -> None:
    """They are named; nothing is passed over or filled up at random."""
    config = read_config(write_vision_checkpoint(tmp_path, tensors=tensors))
    with pytest.raises(ModelFileError, match=said):
        load_vision(config, settings, "cpu")


def test_a_transformers_without_the_vision_model(
    config: CheckpointConfig, settings: VisionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that helps is in the error."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r'pip install --upgrade "ragvl\[vl\]"'):
        load_vision(config, settings, "cpu")


def test_batches_become_smaller_when_memory_runs_out(settings: VisionSettings) -> None:
    """All tiles are still seen, each in its place; the smaller size is kept."""
    sizes: list[int] = []

    def radio(tiles: torch.Tensor) -> torch.Tensor:
        sizes.append(len(tiles))
        if len(tiles) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return tiles.mean(dim=(1, 2, 3)).view(-1, 1, 1).expand(-1, 16, 1)

    tiles = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 3, TILE_PX, TILE_PX)
    model = VisionModel(
        radio, torch.nn.Identity(), settings, torch.device("cpu"), torch.float32, batch_tiles=5
    )
    assert model.encode(tiles)[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert sizes == [5, 2, 2, 2]
    assert model.batch_tiles == 2


def test_memory_for_not_even_one_tile(settings: VisionSettings) -> None:
    """An error that says so."""

    def radio(tiles: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("out of memory")

    model = VisionModel(radio, torch.nn.Identity(), settings, torch.device("cpu"), torch.float32)
    with pytest.raises(DeviceMemoryError, match="one tile"):
        model.encode(_tiles(3))
