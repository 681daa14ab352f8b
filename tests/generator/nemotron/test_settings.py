"""What is taken for Nemotron Nano 12B v2 VL, and what is refused."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.settings import read_config
from tests.generator.nemotron.tiny import CONFIG, LLM_CONFIG, PATTERN, STOP_ID

Change = Callable[[dict[str, Any]], object]


def _write(folder: Path, change: Change = lambda config: None) -> Path:
    config = copy.deepcopy(CONFIG)
    change(config)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_the_language_settings(tmp_path: Path) -> None:
    """Sizes, constants and stop tokens come from config.json; the rest of it is kept for the vision side."""
    config = read_config(_write(tmp_path))
    language = config.language
    assert (language.pattern, language.hidden_size, language.vocab_size) == (PATTERN, 32, 96)
    assert (language.mamba_inner, language.conv_dim, language.projection_size) == (64, 128, 196)
    assert (language.mamba_layers, language.attention_layers, language.mamba_group_size) == (3, 2, 32)
    assert language.dt_limit == (0.0, math.inf)
    assert language.stop_ids == (STOP_ID,)
    assert config.raw["vision_config"]["patch_size"] == 16


def test_stop_tokens_of_the_generation_config_count_too(tmp_path: Path) -> None:
    """A list in generation_config.json adds to the one in config.json, without repeats."""
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [2, 12, 11]}', encoding="utf-8")
    assert read_config(_write(tmp_path)).language.stop_ids == (12, 2, 11)


def _by_model_type(config: dict[str, Any]) -> None:
    del config["architectures"], config["auto_map"]
    config["model_type"] = "NemotronH_Nano_VL_V2"


def _by_auto_map(config: dict[str, Any]) -> None:
    del config["architectures"]


def _as_text_config(config: dict[str, Any]) -> None:
    config["text_config"] = config.pop("llm_config")


def _old_names(config: dict[str, Any]) -> None:
    fields = config["llm_config"]
    fields["rms_norm_eps"] = fields.pop("layer_norm_epsilon")
    fields["attention_head_dim"] = fields.pop("head_dim")
    del fields["time_step_limit"]


def _layer_list(config: dict[str, Any]) -> None:
    kinds = {"M": "linear_attention", "-": "mlp", "*": "full_attention"}
    del config["llm_config"]["hybrid_override_pattern"]
    config["llm_config"]["layers_block_type"] = [kinds[letter] for letter in PATTERN]


def _nulls(config: dict[str, Any]) -> None:
    config["sound_config"] = None
    config["video_temporal_patch_size"] = None


@pytest.mark.parametrize(
    "change", [_by_model_type, _by_auto_map, _as_text_config, _old_names, _layer_list, _nulls]
)
def test_other_spellings_of_the_same_model(tmp_path: Path, change: Change) -> None:
    """Engines and versions name things differently; the settings come out the same."""
    expected = read_config(_write(tmp_path)).language
    assert read_config(_write(tmp_path, change)).language == expected


@pytest.mark.parametrize(
    ("sign", "change"),
    [
        ("llm_config.n_routed_experts", lambda config: config["llm_config"].update(n_routed_experts=128)),
        (
            "vision_config.min_num_patches",
            lambda config: config["vision_config"].update(min_num_patches=1024),
        ),
        (
            "vision_config.args.max_num_patches",
            lambda config: config["vision_config"]["args"].update(max_num_patches=13312),
        ),
        ("sound_config", lambda config: config.update(sound_config={"model_type": "parakeet"})),
        ("video_target_num_patches", lambda config: config.update(video_target_num_patches=1024)),
        ("video_temporal_patch_size", lambda config: config.update(video_temporal_patch_size=2)),
    ],
)
def test_omni_models_under_the_same_name_are_refused(tmp_path: Path, sign: str, change: Change) -> None:
    """The message names the file, what gave it away, and a model that does work."""
    with pytest.raises(ModelFileError) as refusal:
        read_config(_write(tmp_path, change))
    for part in ("config.json", "Omni", sign, "NVIDIA-Nemotron-Nano-12B-v2-VL-BF16"):
        assert part in str(refusal.value)


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("LlamaForCausalLM, not", lambda c: c.update(architectures=["LlamaForCausalLM"], auto_map={})),
        ("neither llm_config nor text_config", lambda c: c.pop("llm_config")),
        ("no hidden_size", lambda c: c["llm_config"].pop("hidden_size")),
        ("n_groups is 'two'", lambda c: c["llm_config"].update(n_groups="two")),
        ("layers of kind 'E'", lambda c: c["llm_config"].update(hybrid_override_pattern="M-E*")),
        ("num_hidden_layers is 9", lambda c: c["llm_config"].update(num_hidden_layers=9)),
        ("mlp_hidden_act is 'silu'", lambda c: c["llm_config"].update(mlp_hidden_act="silu")),
        ("use_bias is True", lambda c: c["llm_config"].update(use_bias=True)),
        ("conv_kernel is 3", lambda c: c["llm_config"].update(conv_kernel=3)),
        ("sliding_window is set", lambda c: c["llm_config"].update(sliding_window=4096)),
    ],
)
def test_what_would_give_wrong_numbers_is_refused(tmp_path: Path, message: str, change: Change) -> None:
    """Another model, a hole in the config, or a variant that is not supported: named, with the file."""
    with pytest.raises(ModelFileError, match=re.escape(message)) as refusal:
        read_config(_write(tmp_path, change))
    assert str(tmp_path / "config.json") in str(refusal.value)


def test_a_folder_without_a_config(tmp_path: Path) -> None:
    """The error says which file was looked for."""
    with pytest.raises(ModelFileError, match=r"config\.json does not exist; give the folder"):
        read_config(tmp_path)


def test_a_damaged_config(tmp_path: Path) -> None:
    """Half a file is not read as an empty one."""
    (tmp_path / "config.json").write_text(json.dumps(LLM_CONFIG)[:40], encoding="utf-8")
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_config(tmp_path)
