"""A tiny random model in the released checkpoint's names, and the same model in transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

VOCABULARY = 96
HIDDEN = 32
PATTERN = "M-M*M-*"
STOP_ID = 12

LLM_CONFIG: dict[str, Any] = {
    "architectures": ["NemotronHForCausalLM"],
    "model_type": "nemotron_h",
    "hybrid_override_pattern": PATTERN,
    "num_hidden_layers": len(PATTERN),
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "mamba_num_heads": 4,
    "mamba_head_dim": 16,
    "n_groups": 2,
    "ssm_state_size": 16,
    "conv_kernel": 4,
    "chunk_size": 8,
    "expand": 2,
    "layer_norm_epsilon": 1e-5,
    "mlp_hidden_act": "relu2",
    "mamba_hidden_act": "silu",
    "use_bias": False,
    "mlp_bias": False,
    "attention_bias": False,
    "mamba_proj_bias": False,
    "use_conv_bias": True,
    "tie_word_embeddings": False,
    "residual_in_fp32": False,
    "time_step_limit": [0.0, float("inf")],
    "max_position_embeddings": 131072,
    "bos_token_id": 1,
    "eos_token_id": STOP_ID,
}

CONFIG: dict[str, Any] = {
    "architectures": ["NemotronH_Nano_VL_V2"],
    "auto_map": {
        "AutoConfig": "configuration.NemotronH_Nano_VL_V2_Config",
        "AutoModel": "modeling.NemotronH_Nano_VL_V2",
        "AutoModelForCausalLM": "modeling.NemotronH_Nano_VL_V2",
    },
    "downsample_ratio": 0.5,
    "force_image_size": 512,
    "image_tag_type": "internvl",
    "img_context_token": "<image>",
    "img_end_token": "</img>",
    "img_start_token": "<img>",
    "llm_config": LLM_CONFIG,
    "max_sequence_length": 131072,
    "norm_mean": [0.48145466, 0.4578275, 0.40821073],
    "norm_std": [0.26862954, 0.26130258, 0.27577711],
    "patch_size": 16,
    "projector_hidden_size": 20480,
    "ps_version": "v2",
    "use_thumbnail": True,
    "video_context_token": "<video>",
    "video_pruning_rate": 0.0,
    "vision_config": {"args": {"cpe_max_size": 2048}, "patch_size": 16, "max_resolution": 2048},
    "vit_hidden_size": 1280,
}

_PREFIX = "language_model."


def language_tensors(seed: int = 0) -> dict[str, torch.Tensor]:
    """Random tensors of the language model in the checkpoint's names; decays from long to short, none flat."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int, scale: float = 1.0) -> torch.Tensor:
        return torch.randn(shape, generator=random) * scale

    def matrix(rows: int, columns: int) -> torch.Tensor:
        return normal(rows, columns, scale=columns**-0.5)

    heads, inner, channels = 4, 64, 64 + 2 * 2 * 16
    tensors = {
        "backbone.embeddings.weight": normal(VOCABULARY, HIDDEN),
        "backbone.norm_f.weight": 1 + normal(HIDDEN, scale=0.2),
        "lm_head.weight": matrix(VOCABULARY, HIDDEN) * 2,
    }
    mixers = {
        "M": lambda: {
            "in_proj.weight": matrix(inner + channels + heads, HIDDEN),
            "conv1d.weight": normal(channels, 1, 4, scale=0.5),
            "conv1d.bias": normal(channels, scale=0.1),
            "dt_bias": normal(heads) - torch.tensor([8.0, 4.0, 1.0, 0.0]),
            "A_log": normal(heads, scale=0.5) + 0.5,
            "D": 1 + normal(heads, scale=0.2),
            "norm.weight": 1 + normal(inner, scale=0.2),
            "out_proj.weight": matrix(HIDDEN, inner),
        },
        "-": lambda: {"up_proj.weight": matrix(64, HIDDEN), "down_proj.weight": matrix(HIDDEN, 64)},
        "*": lambda: {
            "q_proj.weight": matrix(64, HIDDEN),
            "k_proj.weight": matrix(32, HIDDEN),
            "v_proj.weight": matrix(32, HIDDEN),
            "o_proj.weight": matrix(HIDDEN, 64),
        },
    }
    for number, letter in enumerate(PATTERN):
        tensors[f"backbone.layers.{number}.norm.weight"] = 1 + normal(HIDDEN, scale=0.2)
        mixer = mixers[letter]()
        tensors |= {f"backbone.layers.{number}.mixer.{name}": tensor for name, tensor in mixer.items()}
    return {_PREFIX + name: tensor for name, tensor in tensors.items()}


def other_tensors() -> dict[str, torch.Tensor]:
    """A few tensors of the vision model and the projector, which the language loader passes over."""
    return {
        "vision_model.radio_model.model.patch_generator.pos_embed": torch.zeros(1, 4, 8),
        "vision_model.radio_model.model.blocks.0.norm1.weight": torch.ones(8),
        "mlp1.0.weight": torch.ones(32),
        "mlp1.1.weight": torch.ones(8, 32),
    }


def write_checkpoint(
    folder: Path,
    tensors: Mapping[str, torch.Tensor] | None = None,
    *,
    config: Mapping[str, Any] = CONFIG,
    shards: int = 3,
) -> Path:
    """Write config.json, shards and their index; tensors are spread over the shards in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    everything = language_tensors() | other_tensors() if tensors is None else dict(tensors)
    names = sorted(everything)
    weight_map = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        own = {name: everything[name].contiguous() for name in names[shard::shards]}
        save_file(own, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(own, file)
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


def oracle(tensors: Mapping[str, torch.Tensor] | None = None) -> Any:
    """The same model by transformers, with its clamp of small time steps undone."""
    from transformers import NemotronHConfig, NemotronHForCausalLM

    fields = {
        name: value for name, value in LLM_CONFIG.items() if name not in ("architectures", "model_type")
    }
    config = NemotronHConfig(**fields, pad_token_id=0, attn_implementation="eager")
    model = NemotronHForCausalLM(config).eval()
    tensors = language_tensors() if tensors is None else tensors
    renamed = {
        name.removeprefix(_PREFIX).replace("backbone.", "model."): value for name, value in tensors.items()
    }
    model.load_state_dict(renamed, strict=True)
    for module in model.modules():
        if hasattr(module, "time_step_limit"):
            module.time_step_limit = (0.0, float("inf"))
    return model
