"""A tiny random checkpoint with a vision side, in the released names, and an independent reading of it."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from ragvl.types import PageImage
from tests.generator.nemotron.tiny import CONFIG, HIDDEN, language_tensors, write_checkpoint

TILE_PX, PATCH_PX, GRID = 64, 16, 4
TILE_TOKENS = 4
WIDTH, HEADS, INNER, LAYERS = 32, 2, 64, 2
CLASS_TOKENS, POSITION_GRID = 5, 8
PROJECTOR_INNER = 48

VISION_CONFIG: dict[str, Any] = CONFIG | {
    "force_image_size": TILE_PX,
    "vit_hidden_size": WIDTH,
    "vision_config": {"args": {"cpe_max_size": 128}, "num_attention_heads": HEADS},
}

_MODEL = "vision_model.radio_model.model."


def vision_tensors(seed: int = 1) -> dict[str, torch.Tensor]:
    """Random tensors of vision model and projector, in the checkpoint's names."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int, scale: float = 1.0) -> torch.Tensor:
        return torch.randn(shape, generator=random) * scale

    def linear(name: str, rows: int, columns: int) -> dict[str, torch.Tensor]:
        return {
            f"{name}.weight": normal(rows, columns, scale=columns**-0.5),
            f"{name}.bias": normal(rows, scale=0.2),
        }

    tensors = {
        "patch_generator.embedder.weight": normal(WIDTH, 3 * PATCH_PX**2, scale=0.05),
        "patch_generator.pos_embed": normal(1, POSITION_GRID**2, WIDTH),
        "patch_generator.cls_token.token": normal(CLASS_TOKENS, WIDTH),
    }
    for number in range(LAYERS):
        block = f"blocks.{number}."
        for norm in ("norm1", "norm2"):
            tensors[f"{block}{norm}.weight"] = 1 + normal(WIDTH, scale=0.2)
            tensors[f"{block}{norm}.bias"] = normal(WIDTH, scale=0.2)
        tensors |= linear(f"{block}attn.qkv", 3 * WIDTH, WIDTH)
        tensors |= linear(f"{block}attn.proj", WIDTH, WIDTH)
        tensors |= linear(f"{block}mlp.fc1", INNER, WIDTH)
        tensors |= linear(f"{block}mlp.fc2", WIDTH, INNER)
    return {_MODEL + name: tensor for name, tensor in tensors.items()} | {
        "vision_model.radio_model.input_conditioner.norm_mean": torch.zeros(3, 1, 1),
        "vision_model.radio_model.input_conditioner.norm_std": torch.ones(3, 1, 1),
        "vision_model.radio_model.summary_idxs": torch.tensor([0, 1, 2]),
        "mlp1.0.weight": 1 + normal(4 * WIDTH, scale=0.2),
        "mlp1.1.weight": normal(PROJECTOR_INNER, 4 * WIDTH, scale=0.1),
        "mlp1.3.weight": normal(HIDDEN, PROJECTOR_INNER, scale=0.2),
    }


def write_vision_checkpoint(
    folder: Path,
    *,
    tensors: Mapping[str, torch.Tensor] | None = None,
    config: Mapping[str, Any] = VISION_CONFIG,
) -> Path:
    """Write a whole tiny checkpoint, or one with other vision tensors."""
    own = vision_tensors() if tensors is None else tensors
    return write_checkpoint(folder, language_tensors() | dict(own), config=config)


def reference_patches(
    tensors: Mapping[str, torch.Tensor], tiles: torch.Tensor, *, align_corners: bool = False
) -> torch.Tensor:
    """What C-RADIOv2 does, in the manner of timm: cropped position embeddings, pre-norm blocks, no final norm."""

    def get(name: str) -> torch.Tensor:
        return tensors[_MODEL + name]

    count, grid = len(tiles), tiles.shape[-1] // PATCH_PX
    patches = F.unfold(tiles, PATCH_PX, stride=PATCH_PX).transpose(1, 2)
    x = patches @ get("patch_generator.embedder.weight").T
    table = get("patch_generator.pos_embed")
    side = math.isqrt(table.shape[1])
    table = table.reshape(1, side, side, WIDTH).permute(0, 3, 1, 2)
    table = F.interpolate(table, size=(grid, grid), mode="bilinear", align_corners=align_corners)
    x = x + table.permute(0, 2, 3, 1).reshape(1, grid * grid, WIDTH)
    classes = get("patch_generator.cls_token.token")
    x = torch.cat([classes.expand(count, -1, -1), x], dim=1)
    for number in range(LAYERS):

        def own(name: str, number: int = number) -> torch.Tensor:
            return get(f"blocks.{number}.{name}")

        normed = F.layer_norm(x, (WIDTH,), own("norm1.weight"), own("norm1.bias"), 1e-6)
        qkv = F.linear(normed, own("attn.qkv.weight"), own("attn.qkv.bias"))
        q, k, v = qkv.reshape(count, -1, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        odds = (q @ k.transpose(-2, -1) * (WIDTH // HEADS) ** -0.5).softmax(dim=-1)
        mixed = (odds @ v).transpose(1, 2).reshape(count, -1, WIDTH)
        x = x + F.linear(mixed, own("attn.proj.weight"), own("attn.proj.bias"))
        normed = F.layer_norm(x, (WIDTH,), own("norm2.weight"), own("norm2.bias"), 1e-6)
        inner = F.gelu(F.linear(normed, own("mlp.fc1.weight"), own("mlp.fc1.bias")))
        x = x + F.linear(inner, own("mlp.fc2.weight"), own("mlp.fc2.bias"))
    return x[:, len(classes) :]


def page_image(width: int, height: int, seed: int = 0) -> PageImage:
    """A picture of random colours in large squares, as PNG."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    return encoded(small.resize((width, height), Image.Resampling.NEAREST))


def encoded(image: Image.Image) -> PageImage:
    """A picture as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return PageImage(buffer.getvalue(), "image/png", image.width, image.height)
