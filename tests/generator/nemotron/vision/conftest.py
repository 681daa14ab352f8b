"""The tiny checkpoint with a vision side."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragvl.generator.nemotron.settings import CheckpointConfig, read_config
from ragvl.generator.nemotron.vision.settings import VisionSettings, read_vision_settings
from tests.generator.nemotron.vision.tiny_vision import write_vision_checkpoint


@pytest.fixture(scope="package")
def seeing_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder; read only."""
    return write_vision_checkpoint(tmp_path_factory.mktemp("seeing"))


@pytest.fixture(scope="package")
def config(seeing_checkpoint: Path) -> CheckpointConfig:
    """Its configuration."""
    return read_config(seeing_checkpoint)


@pytest.fixture(scope="package")
def settings(config: CheckpointConfig) -> VisionSettings:
    """Its vision side."""
    return read_vision_settings(config)
