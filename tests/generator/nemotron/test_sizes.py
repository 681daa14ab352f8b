"""The released model's sizes, computed from its configuration without its weights."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from ragvl.generator.nemotron.language.model import tensor_table
from ragvl.generator.nemotron.settings import LanguageSettings, read_config
from ragvl.generator.nemotron.state import State
from tests.generator.nemotron.tiny import CONFIG, LLM_CONFIG

PATTERN = "M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M-"
RELEASED = {
    "hybrid_override_pattern": PATTERN,
    "num_hidden_layers": 62,
    "vocab_size": 131072,
    "hidden_size": 5120,
    "intermediate_size": 20480,
    "num_attention_heads": 40,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "mamba_num_heads": 128,
    "mamba_head_dim": 80,
    "n_groups": 8,
    "ssm_state_size": 128,
}


@pytest.fixture
def settings(tmp_path: Path) -> LanguageSettings:
    """Of the released model."""
    config = CONFIG | {"llm_config": LLM_CONFIG | RELEASED}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return read_config(tmp_path).language


def test_layers_and_projections(settings: LanguageSettings) -> None:
    """28 Mamba-2, 28 MLP and 6 attention layers; the input projection has 22,656 rows."""
    assert (settings.mamba_layers, PATTERN.count("-"), settings.attention_layers) == (28, 28, 6)
    assert (settings.mamba_inner, settings.conv_dim, settings.projection_size) == (10240, 12288, 22656)
    assert settings.mamba_group_size == 1280


def test_parameters(settings: LanguageSettings) -> None:
    """10.97 billion in the layers, 12.31 billion with embedding and head."""
    counts = {name: math.prod(spec.shape) for name, spec in tensor_table(settings).items()}
    layers = sum(count for name, count in counts.items() if name.startswith("layers."))
    assert layers == pytest.approx(10.968e9, rel=1e-4)
    assert sum(counts.values()) == pytest.approx(12.31e9, rel=1e-3)


def test_bytes_of_a_request(settings: LanguageSettings) -> None:
    """147 MB of recurrent state whatever the length, and 24.6 kB of keys and values a token in 16 bits."""

    state = State(settings, 1, 1000, "meta", torch.bfloat16)
    assert state.ssm.nbytes == pytest.approx(147e6, rel=0.01)
    assert state.conv.nbytes == pytest.approx(2.8e6, rel=0.02)
    assert (state.keys.nbytes + state.values.nbytes) / 1000 == 24_576
