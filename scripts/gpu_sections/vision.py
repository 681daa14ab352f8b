"""The vision model and projector at their true size, with random weights: what the tiles of some pages cost."""

from __future__ import annotations

import time
from typing import Any

import torch

from gpu_sections.timing import NotRun
from ragvl.generator.nemotron.language.linear import DenseLinear
from ragvl.generator.nemotron.vision.model import VisionModel
from ragvl.generator.nemotron.vision.projector import Projector
from ragvl.generator.nemotron.vision.settings import VisionSettings

__all__ = ["random_vision", "vision_s"]

SETTINGS = VisionSettings(
    tile_px=512,
    patch_px=16,
    merge=2,
    max_tiles=12,
    thumbnail=True,
    mean=(0.481, 0.458, 0.408),
    std=(0.269, 0.261, 0.276),
    heads=16,
)
_RADIO = {"hidden_size": 1280, "num_hidden_layers": 32, "mlp_ratio": 4.0}
_INNER, _HIDDEN = 20_480, 5120


def random_vision(device: str = "cuda") -> VisionModel:
    """
    Make a vision model whose features mean nothing.

    Raises:
        NotRun: transformers is not installed, or too old to have it.
    """
    try:
        from transformers import RadioConfig, RadioModel
    except ImportError as error:
        raise NotRun(f"the vision model needs a newer transformers: {error}") from error
    torch.manual_seed(0)
    config = RadioConfig(
        num_attention_heads=SETTINGS.heads,
        layer_norm_eps=1e-6,
        qkv_bias=True,
        patch_size=SETTINGS.patch_px,
        image_size=SETTINGS.tile_px,
        max_img_size=SETTINGS.tile_px,
        num_cls_tokens=16,
        num_registers=0,
        summary_idxs=[0],
        **_RADIO,
    )
    radio = RadioModel(config).to(device, torch.bfloat16).eval()
    radio.make_preprocessor_external()
    merged = config.hidden_size * SETTINGS.merge**2
    projector = Projector(
        torch.ones(merged, device=device),
        DenseLinear(torch.randn(_INNER, merged, device=device, dtype=torch.bfloat16) * 0.01),
        DenseLinear(torch.randn(_HIDDEN, _INNER, device=device, dtype=torch.bfloat16) * 0.01),
    )
    return VisionModel(
        lambda tiles: radio(pixel_values=tiles).features,
        projector,
        SETTINGS,
        torch.device(device),
        torch.bfloat16,
    )


def vision_s(model: VisionModel, tiles: int, *, runs: int = 3) -> dict[str, Any]:
    """Return the seconds that so many tiles take, from host memory and back to it, as the median of some runs."""
    pictures = torch.randn(tiles, 3, SETTINGS.tile_px, SETTINGS.tile_px)
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        features = model.encode(pictures)
        taken.append(time.perf_counter() - start)
    return {
        "vision_s": round(sorted(taken[1:])[runs // 2], 4),
        "image_tokens": features.shape[0] * features.shape[1],
        "batch_tiles": model.batch_tiles,
    }
