"""What a checkpoint says about how pictures are prepared and seen."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.settings import CheckpointConfig

__all__ = ["VisionSettings", "read_vision_settings"]

logger = logging.getLogger(__name__)

_HEADS = {"vit_base": 12, "vit_large": 16, "vit_huge": 16}
_MAX_TILES = 12  # the image processor's own default
_REMEDY = "fetch the checkpoint again"

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class VisionSettings:
    """
    How pictures are prepared and seen.

    Attributes:
        tile_px: edge of a tile, pixels.
        patch_px: edge of a patch, which the vision model sees as one vector, pixels.
        merge: edge of the square of patches that becomes one token.
        max_tiles: tiles of a picture at most, the thumbnail not counted.
        thumbnail: a picture of several tiles is also shown whole, in one more.
        mean, std: of the three channels, on a scale from 0 to 1: the vision model gets (pixel - mean) / std.
        heads: attention heads of the vision model.
    """

    tile_px: int
    patch_px: int
    merge: int
    max_tiles: int
    thumbnail: bool
    mean: Triple
    std: Triple
    heads: int

    @property
    def patch_grid(self) -> int:
        """Patches along the edge of a tile."""
        return self.tile_px // self.patch_px

    @property
    def tile_tokens(self) -> int:
        """Tokens of a tile."""
        return (self.patch_grid // self.merge) ** 2


def read_vision_settings(config: CheckpointConfig) -> VisionSettings:
    """
    Take the vision side from `config.json` and `preprocessor_config.json`; of two values the latter's counts.

    Raises:
        ModelFileError: a value is absent, or is one that would give wrong features.
    """
    path = config.folder / "preprocessor_config.json"
    fields = _Fields(config.folder, config.raw, _read_json(path))
    shuffle = config.raw.get("ps_version") or "v1"
    if shuffle != "v2":
        raise ModelFileError(f"{config.folder}: ps_version is {shuffle!r}; only 'v2' is supported")
    ratio = fields.value("downsample_ratio")
    if ratio not in (1.0, 0.5, 0.25):
        raise ModelFileError(f"{config.folder}: downsample_ratio is {ratio!r}; 1, 0.5 or 0.25 is needed")
    tile_px, patch_px, merge = fields.count("force_image_size"), fields.count("patch_size"), round(1 / ratio)
    if tile_px % (patch_px * merge):
        raise ModelFileError(
            f"{config.folder}: tiles of {tile_px} pixels cannot be cut into {merge} x {merge} patches of {patch_px}"
        )
    return VisionSettings(
        tile_px=tile_px,
        patch_px=patch_px,
        merge=merge,
        max_tiles=fields.count("max_num_tiles", otherwise=_MAX_TILES),
        thumbnail=bool(fields.value("use_thumbnail")),
        mean=fields.triple("norm_mean", "image_mean"),
        std=fields.triple("norm_std", "image_std"),
        heads=_heads(config.raw.get("vision_config") or {}, config.folder),
    )


@dataclass(frozen=True, slots=True)
class _Fields:
    """Values of the checkpoint's two files."""

    folder: Path
    config: Mapping[str, Any]
    processor: Mapping[str, Any]

    def value(self, *names: str) -> Any:
        found = self._found(*names)
        if found is None:
            raise ModelFileError(
                f"{self.folder}: neither preprocessor_config.json nor config.json has {' or '.join(names)};"
                f" {_REMEDY}, with both files"
            )
        return found

    def count(self, name: str, otherwise: int | None = None) -> int:
        found = self._found(name)
        value = otherwise if found is None else found
        if not isinstance(value, int) or value < 1:
            raise ModelFileError(f"{self.folder}: {name} is {value!r}; a whole number above 0 is needed")
        return value

    def triple(self, *names: str) -> Triple:
        found = self.value(*names)
        try:
            first, second, third = (float(number) for number in found)
        except (TypeError, ValueError) as error:
            raise ModelFileError(
                f"{self.folder}: {names[0]} is {found!r}; three numbers are needed"
            ) from error
        return first, second, third

    def _found(self, *names: str) -> Any:
        found = [
            source[name]
            for source in (self.processor, self.config)
            for name in names
            if source.get(name) is not None
        ]
        if any(value != found[0] for value in found):
            logger.warning(
                "%s: %s is %s in preprocessor_config.json and %s in config.json; the first is used",
                self.folder,
                names[0],
                found[0],
                found[-1],
            )
        return found[0] if found else None


def _heads(vision: Mapping[str, Any], folder: Path) -> int:
    heads = vision.get("num_attention_heads")
    if isinstance(heads, int) and heads > 0:
        return heads
    model = str((vision.get("args") or {}).get("model") or "vit_huge_patch16_224")
    for name, count in _HEADS.items():
        if model.startswith(name):
            return count
    raise ModelFileError(f"{folder}: vision_config.args.model is {model!r}; known are {', '.join(_HEADS)}")


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}; {_REMEDY}") from error
    if not isinstance(read, dict):
        raise ModelFileError(f"{path} does not hold an object; {_REMEDY}")
    return read
