"""What a checkpoint says about pictures."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.settings import CheckpointConfig, LanguageSettings
from ragvl.generator.nemotron.vision.settings import VisionSettings, read_vision_settings
from tests.generator.nemotron.tiny import CONFIG

_LANGUAGE = LanguageSettings("M", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)


def _read(folder: Path, processor: dict[str, Any] | None = None, **changed: Any) -> VisionSettings:
    raw = {name: value for name, value in (CONFIG | changed).items() if value is not None}
    if processor is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return read_vision_settings(CheckpointConfig(folder, _LANGUAGE, raw))


def test_released_settings(tmp_path: Path) -> None:
    """Tiles of 512 pixels, 256 tokens each, 12 at most, in the checkpoint's own normalisation."""
    found = _read(tmp_path)
    assert (found.tile_px, found.patch_px, found.merge, found.tile_tokens) == (512, 16, 2, 256)
    assert (found.max_tiles, found.thumbnail, found.heads) == (12, True, 16)
    assert found.mean == (0.48145466, 0.4578275, 0.40821073)


def test_the_image_processor_comes_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is what the model's own code reads; that the two differ is said."""
    processor = {"norm_mean": [0.1, 0.2, 0.3], "max_num_tiles": 6}
    with caplog.at_level(logging.WARNING):
        found = _read(tmp_path, processor)
    assert (found.mean, found.max_tiles) == ((0.1, 0.2, 0.3), 6)
    assert "norm_mean is [0.1, 0.2, 0.3]" in caplog.text
    assert "std" not in caplog.text


def test_values_under_transformers_names(tmp_path: Path) -> None:
    """`image_mean` is the same as `norm_mean`."""
    processor = {"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 1, 1]}
    found = _read(tmp_path, processor, norm_mean=None, norm_std=None)
    assert (found.mean, found.std) == ((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"norm_mean": None}, "has norm_mean or image_mean"),
        ({"norm_std": [0.5]}, "three numbers"),
        ({"ps_version": None}, "ps_version is 'v1'"),
        ({"force_image_size": 500}, "tiles of 500 pixels"),
        ({"downsample_ratio": 0.3}, "downsample_ratio is 0.3"),
        ({"patch_size": "16"}, "patch_size is '16'"),
        ({"use_thumbnail": None}, "use_thumbnail"),
        ({"vision_config": {"args": {"model": "resnet50"}}}, "resnet50"),
    ],
)
def test_nothing_is_guessed(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    """What is absent, or would give wrong features, is an error that names the folder and the field."""
    with pytest.raises(ModelFileError, match=said) as raised:
        _read(tmp_path, **changed)
    assert str(tmp_path) in str(raised.value)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Half of a file is not passed over."""
    (tmp_path / "preprocessor_config.json").write_text('{"norm_mean": [0.1')
    with pytest.raises(ModelFileError, match="preprocessor_config.json cannot be read"):
        _read(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text("[]")
    with pytest.raises(ModelFileError, match="does not hold an object"):
        _read(tmp_path)
