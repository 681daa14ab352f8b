"""What a checkpoint's `config.json` says about its language model."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.identity import require_nano_vl

__all__ = ["CheckpointConfig", "LanguageSettings", "read_config"]

_PATTERN_LETTERS = {
    "linear_attention": "M",
    "mamba": "M",
    "mlp": "-",
    "full_attention": "*",
    "attention": "*",
    "moe": "E",
}
_CONV_KERNEL = 4  # the ring of convolution inputs has as many slots


@dataclass(frozen=True, slots=True)
class LanguageSettings:
    """
    Sizes and constants of the hybrid language model.

    Attributes:
        pattern: one letter a layer: "M" Mamba-2, "-" MLP, "*" attention.
        vocab_size: rows of the embedding and of the head.
        hidden_size: width of the residual stream.
        intermediate_size: inner width of an MLP.
        attention_heads, key_value_heads, attention_head_dim: of an attention layer.
        mamba_heads, mamba_head_dim, mamba_groups, state_size: of a Mamba-2 layer.
        norm_epsilon: of every RMSNorm.
        dt_limit: smallest and largest time step after softplus.
        max_positions: tokens that the model was trained to read, prompt and answer together.
        stop_ids: tokens that end an answer.
    """

    pattern: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    attention_heads: int
    key_value_heads: int
    attention_head_dim: int
    mamba_heads: int
    mamba_head_dim: int
    mamba_groups: int
    state_size: int
    norm_epsilon: float = 1e-5
    dt_limit: tuple[float, float] = (0.0, math.inf)
    max_positions: int = 131_072
    stop_ids: tuple[int, ...] = ()
    conv_kernel: int = _CONV_KERNEL

    @property
    def mamba_inner(self) -> int:
        """Channels of a Mamba-2 layer's input and output."""
        return self.mamba_heads * self.mamba_head_dim

    @property
    def mamba_group_size(self) -> int:
        """Channels that the gated norm of a Mamba-2 layer takes together."""
        return self.mamba_inner // self.mamba_groups

    @property
    def conv_dim(self) -> int:
        """Channels that the convolution runs over: input, B and C."""
        return self.mamba_inner + 2 * self.mamba_groups * self.state_size

    @property
    def projection_size(self) -> int:
        """Rows of a Mamba-2 layer's `in_proj`: gate, convolution channels, time steps."""
        return self.mamba_inner + self.conv_dim + self.mamba_heads

    @property
    def mamba_layers(self) -> int:
        """Number of Mamba-2 layers."""
        return self.pattern.count("M")

    @property
    def attention_layers(self) -> int:
        """Number of attention layers."""
        return self.pattern.count("*")


@dataclass(frozen=True, slots=True, eq=False)
class CheckpointConfig:
    """
    A checkpoint's configuration.

    Attributes:
        folder: where the checkpoint is.
        language: of the language model.
        raw: all of `config.json`; the vision side reads what it needs from it.
    """

    folder: Path
    language: LanguageSettings
    raw: Mapping[str, Any]


def read_config(folder: Path) -> CheckpointConfig:
    """
    Read and check `config.json` of a checkpoint folder.

    Raises:
        ModelFileError: absent, damaged, of another model, or of a variant that is not supported.
    """
    path = folder / "config.json"
    raw = _read_json(path)
    require_nano_vl(raw, path)
    fields = raw.get("llm_config") or raw["text_config"]
    return CheckpointConfig(folder, _language(fields, _stop_ids(folder, raw, fields), path), raw)


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelFileError(
            f"{path} does not exist; give the folder that holds the checkpoint's config.json"
        ) from error
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}; fetch the checkpoint again") from error
    if not isinstance(raw, dict):
        raise ModelFileError(f"{path} does not hold an object; fetch the checkpoint again")
    return raw


def _stop_ids(folder: Path, raw: Mapping[str, Any], fields: Mapping[str, Any]) -> tuple[int, ...]:
    generation = folder / "generation_config.json"
    sources = [raw, fields, _read_json(generation) if generation.exists() else {}]
    found: list[int] = []
    for source in sources:
        ids = source.get("eos_token_id")
        found += ids if isinstance(ids, list) else [] if ids is None else [ids]
    return tuple(dict.fromkeys(found))


def _language(fields: Mapping[str, Any], stop_ids: tuple[int, ...], path: Path) -> LanguageSettings:
    reader = _Fields(fields, path)
    reader.refuse_variants()
    low, high = fields.get("time_step_limit") or (0.0, math.inf)
    return LanguageSettings(
        pattern=reader.pattern(),
        vocab_size=reader.count("vocab_size"),
        hidden_size=reader.count("hidden_size"),
        intermediate_size=reader.count("intermediate_size"),
        attention_heads=reader.count("num_attention_heads"),
        key_value_heads=reader.count("num_key_value_heads"),
        attention_head_dim=reader.count("head_dim", "attention_head_dim"),
        mamba_heads=reader.count("mamba_num_heads"),
        mamba_head_dim=reader.count("mamba_head_dim"),
        mamba_groups=reader.count("n_groups"),
        state_size=reader.count("ssm_state_size"),
        norm_epsilon=float(reader.value("layer_norm_epsilon", "rms_norm_eps")),
        dt_limit=(float(low), float(high)),
        max_positions=int(fields.get("max_position_embeddings") or 131_072),
        stop_ids=stop_ids,
    )


@dataclass(frozen=True, slots=True)
class _Fields:
    """The language model's part of `config.json`, with errors that name the file and the field."""

    fields: Mapping[str, Any]
    path: Path

    def value(self, *names: str) -> Any:
        for name in names:
            if self.fields.get(name) is not None:
                return self.fields[name]
        raise ModelFileError(f"{self.path}: the language model's config has no {' or '.join(names)}")

    def count(self, *names: str) -> int:
        value = self.value(*names)
        if not isinstance(value, int) or value < 1:
            raise ModelFileError(f"{self.path}: {names[0]} is {value!r}; a whole number above 0 is needed")
        return value

    def pattern(self) -> str:
        pattern = self.fields.get("hybrid_override_pattern")
        if not pattern:
            kinds = self.value("hybrid_override_pattern", "layers_block_type", "layer_types")
            pattern = "".join(_PATTERN_LETTERS.get(kind, "?") for kind in kinds)
        unknown = sorted(set(pattern) - set("M-*"))
        if unknown:
            raise ModelFileError(
                f"{self.path}: layers of kind {', '.join(map(repr, unknown))} are not supported; known are"
                " 'M' (Mamba-2), '-' (MLP) and '*' (attention)"
            )
        layers = self.fields.get("num_hidden_layers")
        if layers is not None and layers != len(pattern):
            raise ModelFileError(
                f"{self.path}: num_hidden_layers is {layers}, but the layer pattern has {len(pattern)} letters"
            )
        return str(pattern)

    def refuse_variants(self) -> None:
        """Stop at settings that would give wrong numbers if they were passed over."""
        required = {
            "mlp_hidden_act": "relu2",
            "mamba_hidden_act": "silu",
            "conv_kernel": _CONV_KERNEL,
            "use_conv_bias": True,
            "use_bias": False,
            "mlp_bias": False,
            "attention_bias": False,
            "mamba_proj_bias": False,
            "tie_word_embeddings": False,
            "residual_in_fp32": False,
        }
        for name, value in required.items():
            found = self.fields.get(name)
            if found is not None and found != value:
                raise ModelFileError(f"{self.path}: {name} is {found!r}; only {value!r} is supported")
        if self.fields.get("sliding_window") is not None:
            raise ModelFileError(f"{self.path}: sliding_window is set; only full attention is supported")
