"""A tiny checkpoint with a vision side and a tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragvl.generator.nemotron.prompt.encoder import PromptEncoder
from ragvl.generator.nemotron.prompt.tokenizer import PromptTokenizer
from ragvl.generator.nemotron.settings import CheckpointConfig, read_config
from tests.generator.nemotron.whole import write_whole_checkpoint


@pytest.fixture(scope="package")
def whole_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder, read only."""
    return write_whole_checkpoint(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="package")
def config(whole_checkpoint: Path) -> CheckpointConfig:
    """Its configuration."""
    return read_config(whole_checkpoint)


@pytest.fixture(scope="package")
def tokenizer(whole_checkpoint: Path) -> PromptTokenizer:
    """Its tokenizer, markers found."""
    return PromptEncoder(read_config(whole_checkpoint), "cpu").tokenizer


@pytest.fixture(scope="package")
def encoder(config: CheckpointConfig) -> PromptEncoder:
    """What makes prompts for it."""
    return PromptEncoder(config, "cpu")
