"""The vision model, C-RADIOv2-H: transformers' implementation with the checkpoint's weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import torch
import torch.nn.functional as F

from ragvl.errors import MissingExtraError, ModelFileError
from ragvl.generator.nemotron.checkpoint.entries import TensorEntry
from ragvl.generator.nemotron.checkpoint.index import listed
from ragvl.generator.nemotron.checkpoint.matrices import read_plain
from ragvl.generator.nemotron.checkpoint.reading import TensorReader
from ragvl.generator.nemotron.vision.names import POSITIONS, RadioShape, match_radio, radio_shape
from ragvl.generator.nemotron.vision.settings import VisionSettings

__all__ = ["Radio", "load_radio", "position_table"]

_LAYER_NORM_EPS = 1e-6


class Radio(Protocol):
    """A vision model."""

    def __call__(self, tiles: torch.Tensor) -> torch.Tensor:
        """See normalised tiles: (n, 3, tile_px, tile_px) to (n, patches, width), patches row by row."""


def load_radio(
    entries: Mapping[str, TensorEntry],
    settings: VisionSettings,
    reader: TensorReader,
    device: torch.device,
    dtype: torch.dtype,
    *,
    align_corners: bool = False,
) -> Radio:
    """
    Read the vision model of a checkpoint.

    Args:
        entries: the part "vision" of the checkpoint.
        settings: of the checkpoint.
        reader: of the device.
        device: where the model goes.
        dtype: of the model.
        align_corners: how position embeddings are interpolated, see `position_table`.

    Raises:
        ModelFileError: the tensors are not those of the model.
        MissingExtraError: transformers is not installed, or does not have this model.
    """
    names = match_radio(entries)
    shape = radio_shape(entries)
    if shape.patch_values != 3 * settings.patch_px**2:
        raise ModelFileError(
            f"the vision model's patches have {shape.patch_values} values, but config.json says that they are"
            f" {settings.patch_px} pixels square, which makes {3 * settings.patch_px**2}"
        )
    with torch.device("meta"):
        model = _empty_model(shape, settings)
    tensors: dict[str, torch.Tensor] = {}
    for name in sorted(names, key=lambda name: (entries[name].path, entries[name].offset)):
        native = names[name]
        if native == (POSITIONS,):
            whole = read_plain(reader, entries[name], torch.float32)
            tensors[POSITIONS] = position_table(whole, settings.patch_grid, align_corners).to(dtype)
        else:
            parts = read_plain(reader, entries[name], dtype).chunk(len(native))
            tensors |= dict(zip(native, parts, strict=True))
    _fill(model, tensors, device, dtype)
    model.make_preprocessor_external()
    return _RadioModel(model.eval())


def position_table(positions: torch.Tensor, grid: int, align_corners: bool) -> torch.Tensor:
    """
    Interpolate the table of position embeddings to the patches of a tile.

    Args:
        positions: (1, side * side, width) float32.
        grid: patches along the edge of a tile.
        align_corners: whether the outermost entries stay the outermost. Serving engines say no, the remote code of
            C-RADIOv2-H yes; the effect is small.

    Returns:
        (1, grid * grid, width) float32.
    """
    side = math.isqrt(positions.shape[1])
    square = positions.view(1, side, side, -1).permute(0, 3, 1, 2)
    square = F.interpolate(square, size=(grid, grid), mode="bilinear", align_corners=align_corners)
    return square.flatten(2).permute(0, 2, 1).contiguous()


class _RadioModel:
    """transformers' model, of which the patches are what is wanted."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(self, tiles: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self._model(pixel_values=tiles).features
        return features


def _empty_model(shape: RadioShape, settings: VisionSettings) -> Any:
    """The model without weights; its table of positions is that of one tile."""
    try:
        from transformers import RadioConfig, RadioModel
    except ImportError as error:
        reason = str(error).strip().partition("\n")[0]
        raise MissingExtraError(
            f"the vision model needs a transformers that has RadioModel ({reason}); run:"
            ' pip install --upgrade "ragvl[vl]"'
        ) from error
    if shape.width % settings.heads:
        raise ModelFileError(f"{shape.width} channels cannot be parted among {settings.heads} heads")
    return RadioModel(
        RadioConfig(
            hidden_size=shape.width,
            num_hidden_layers=shape.layers,
            num_attention_heads=settings.heads,
            mlp_ratio=shape.inner / shape.width,
            layer_norm_eps=_LAYER_NORM_EPS,
            qkv_bias=shape.has_qkv_bias,
            patch_size=settings.patch_px,
            image_size=settings.tile_px,
            max_img_size=settings.tile_px,
            num_cls_tokens=shape.class_tokens,
            num_registers=0,
            summary_idxs=[0],
        )
    )


def _fill(model: Any, tensors: dict[str, torch.Tensor], device: torch.device, dtype: torch.dtype) -> None:
    """Give a model its weights, and ones where the checkpoint has none because the model does not scale."""
    wanted: Mapping[str, torch.Tensor] = model.state_dict()
    for name, empty in wanted.items():
        if name.endswith(".lambda1"):
            tensors[name] = torch.ones(empty.shape, device=device, dtype=dtype)
        elif name == "summary_idxs" or name.startswith("input_conditioner."):
            tensors[name] = torch.zeros(empty.shape, device=device, dtype=empty.dtype)  # not used
    faults = {
        "missing": sorted(set(wanted) - set(tensors)),
        "unexpected": sorted(set(tensors) - set(wanted)),
        "of another shape": [
            f"{name}: {tuple(tensors[name].shape)}, needed {tuple(empty.shape)}"
            for name, empty in wanted.items()
            if name in tensors and tensors[name].shape != empty.shape
        ],
    }
    if any(faults.values()):
        lists = [f"{kind}:\n{listed(names)}" for kind, names in faults.items() if names]
        raise ModelFileError(
            "the vision model's tensors do not fit together; is the checkpoint complete?\n" + "\n".join(lists)
        )
    model.load_state_dict(tensors, strict=True, assign=True)
