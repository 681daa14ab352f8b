"""Pictures become features, each once: looked up first, seen together where they are not found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from ragvl.generator.nemotron.settings import CheckpointConfig
from ragvl.generator.nemotron.vision.features import FeatureCache
from ragvl.generator.nemotron.vision.images import (
    MAX_PIXELS,
    Picture,
    cut_tiles,
    decode,
    digest,
    whole_tile,
)
from ragvl.generator.nemotron.vision.model import BATCH_TILES, VisionModel, load_vision
from ragvl.generator.nemotron.vision.settings import VisionSettings, read_vision_settings
from ragvl.generator.tiling import tile_count, tile_grid
from ragvl.indexers.encoders.vision.budget import release_memory
from ragvl.indexers.encoders.vision.fingerprint import fingerprint
from ragvl.indexers.encoders.vision.folder import ModelFolder

__all__ = ["Features", "PictureEncoder", "Seeing", "Shown"]

_RULE = 1  # goes up when the way from a picture to its tiles changes


@dataclass(frozen=True, slots=True)
class Seeing:
    """
    How pictures are seen.

    Attributes:
        max_tiles: tiles of a picture, the thumbnail not counted; None for what the checkpoint says.
        max_pixels: of a picture; a larger one is refused before it is decoded.
        align_corners: how position embeddings are interpolated, see `position_table`.
        batch_tiles: tiles that are seen at once; fewer where memory does not last.
        dtype: of the vision model; None for what suits the device.

    Raises:
        ValueError: a number below 1.
    """

    max_tiles: int | None = None
    max_pixels: int = MAX_PIXELS
    align_corners: bool = False
    batch_tiles: int = BATCH_TILES
    dtype: torch.dtype | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        for name, value in (
            ("max_tiles", self.max_tiles),
            ("max_pixels", self.max_pixels),
            ("batch_tiles", self.batch_tiles),
        ):
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture to be seen: in tiles, or as one tile when it is a frame of a video."""

    picture: Picture
    is_frame: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """
    What the language model is given of a picture.

    Attributes:
        values: (tokens, hidden), in host memory.
        key: hexadecimal; pictures of the same key have the same features.
    """

    values: torch.Tensor
    key: str


class PictureEncoder:
    """
    Turns pictures into features; for one thread at a time. Weights are read when a picture is first seen.

    Args:
        config: of the checkpoint.
        device: where the vision model goes.
        seeing: how pictures are seen.
        cache: where features are kept; None keeps none.
        load: reads the vision model, when it is not read from the checkpoint.

    Raises:
        ModelFileError: the checkpoint does not say how pictures are prepared.
    """

    def __init__(
        self,
        config: CheckpointConfig,
        device: torch.device | str,
        seeing: Seeing | None = None,
        *,
        cache: FeatureCache | None = None,
        load: Callable[[], VisionModel] | None = None,
    ) -> None:
        self.settings: VisionSettings = read_vision_settings(config)
        self._config, self._device = config, device
        self._seeing = seeing or Seeing()
        self._cache = cache
        self._load = load or self._read_model
        self._model: VisionModel | None = None

    @property
    def max_tiles(self) -> int:
        """Tiles of a picture at most, the thumbnail not counted."""
        return self._seeing.max_tiles or self.settings.max_tiles

    def token_count(self, width_px: int, height_px: int) -> int:
        """Count the features of a picture of this size, which is not a frame."""
        grid = tile_grid(width_px, height_px, self.max_tiles, self.settings.tile_px)
        return self.settings.tile_tokens * tile_count(grid, thumbnail=self.settings.thumbnail)

    def encode(self, items: Sequence[Shown]) -> list[Features]:
        """
        Turn pictures into features, in order; the same picture is seen once.

        Raises:
            GeneratorError: a picture is too large or cannot be decoded.
            DeviceMemoryError: not even one tile fits.
            ModelFileError: the vision model cannot be read.
            MissingExtraError: transformers does not have the vision model.
        """
        keys = [self._key(item) for item in items]
        found: dict[str, torch.Tensor] = {}
        waiting: dict[str, Shown] = {}
        for key, item in zip(keys, items, strict=True):
            if key not in found and key not in waiting:
                kept = self._cache.load(key) if self._cache is not None else None
                if kept is None:
                    waiting[key] = item
                else:
                    found[key] = kept
        for key, values in self._see(waiting):
            found[key] = values if self._cache is None else self._cache.keep(key, values)
        return [Features(found[key], key) for key in keys]

    def free(self) -> None:
        """Give the weights up; they are read again when next needed."""
        self._model = None
        release_memory()

    def _see(self, waiting: dict[str, Shown]) -> Iterator[tuple[str, torch.Tensor]]:
        if not waiting:
            return
        if self._model is None:
            self._model = self._load()
        names: list[str] = []
        tiles: list[torch.Tensor] = []
        for key, item in waiting.items():
            own = self._tiles(item)
            if names and sum(map(len, tiles)) + len(own) > self._model.batch_tiles:
                yield from zip(names, _together(self._model, tiles), strict=True)
                names, tiles = [], []
            names.append(key)
            tiles.append(own)
        yield from zip(names, _together(self._model, tiles), strict=True)

    def _tiles(self, item: Shown) -> torch.Tensor:
        image = decode(item.picture, self._seeing.max_pixels)
        if item.is_frame:
            return whole_tile(image, self.settings)
        return cut_tiles(image, self.settings, self.max_tiles)

    def _key(self, item: Shown) -> str:
        how = "frame" if item.is_frame else f"{self.max_tiles} tiles"
        precision = self._cache.precision if self._cache is not None else ""
        said = json.dumps([digest(item.picture), how, precision, self._fingerprint])
        return hashlib.sha256(said.encode()).hexdigest()

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint(
            ModelFolder(self._config.folder), {"rule": _RULE, "align_corners": self._seeing.align_corners}
        )

    def _read_model(self) -> VisionModel:
        seeing = self._seeing
        return load_vision(
            self._config,
            self.settings,
            self._device,
            dtype=seeing.dtype,
            align_corners=seeing.align_corners,
            batch_tiles=seeing.batch_tiles,
        )


def _together(model: VisionModel, tiles: list[torch.Tensor]) -> list[torch.Tensor]:
    """See pictures in as few batches as it takes: (tokens, hidden) of each."""
    seen = iter(model.encode(torch.cat(tiles)))
    return [torch.cat([next(seen) for _ in own]) for own in tiles]
