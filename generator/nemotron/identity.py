"""Tells Nemotron Nano 12B v2 VL from other models, and from the Omni models that share its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ragvl.errors import ModelFileError

__all__ = ["require_nano_vl"]

_NAME = "NemotronH_Nano_VL_V2"
_WANTED = "ragvl runs Nemotron Nano 12B v2 VL, such as nvidia/NVIDIA-Nemotron-Nano-12B-v2-VL-BF16"


def require_nano_vl(raw: Mapping[str, Any], path: Path) -> None:
    """
    Check that a `config.json` describes Nemotron Nano 12B v2 VL.

    Args:
        raw: the file's content.
        path: the file, for the message.

    Raises:
        ModelFileError: it is of another model, or of an Omni model under the same architecture name.
    """
    if not _is_named(raw):
        architectures = raw.get("architectures") or [raw.get("model_type")]
        named = ", ".join(map(str, architectures))
        raise ModelFileError(f"{path} describes the architecture {named}, not {_NAME}; {_WANTED}")
    if not isinstance(raw.get("llm_config") or raw.get("text_config"), dict):
        raise ModelFileError(f"{path} has neither llm_config nor text_config; fetch the checkpoint again")
    signs = _omni_signs(raw)
    if signs:
        raise ModelFileError(
            f"{path} names the architecture {_NAME} but describes a Nemotron Omni model, by {', '.join(signs)}; {_WANTED}"
        )


def _is_named(raw: Mapping[str, Any]) -> bool:
    if _NAME in (raw.get("architectures") or ()) or raw.get("model_type") == _NAME:
        return True
    auto_map = raw.get("auto_map")
    targets = auto_map.values() if isinstance(auto_map, dict) else ()
    return any(str(target).rpartition(".")[2] in {_NAME, f"{_NAME}_Config"} for target in targets)


def _omni_signs(raw: Mapping[str, Any]) -> list[str]:
    """Name the settings that only Omni models have; a null counts as absent."""
    language = raw.get("llm_config") or raw["text_config"]
    vision = raw.get("vision_config") or {}
    places: list[tuple[str, Mapping[str, Any], tuple[str, ...]]] = [
        ("llm_config.", language, ("n_routed_experts",)),
        ("vision_config.", vision, ("min_num_patches", "max_num_patches")),
        ("vision_config.args.", vision.get("args") or {}, ("min_num_patches", "max_num_patches")),
        ("", raw, ("sound_config", "video_target_num_patches", "video_temporal_patch_size")),
    ]
    return [
        f"{place}{name}" for place, fields, names in places for name in names if fields.get(name) is not None
    ]
