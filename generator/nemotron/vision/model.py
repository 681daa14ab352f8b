"""Vision model and projector together: tiles become features in the language model's width."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ragvl.errors import DeviceMemoryError
from ragvl.generator.nemotron.checkpoint.index import part, read_index
from ragvl.generator.nemotron.checkpoint.loading import default_dtype
from ragvl.generator.nemotron.checkpoint.reading import TensorReader
from ragvl.generator.nemotron.settings import CheckpointConfig
from ragvl.generator.nemotron.vision.names import radio_shape
from ragvl.generator.nemotron.vision.pixel_shuffle import pixel_shuffle
from ragvl.generator.nemotron.vision.projector import load_projector
from ragvl.generator.nemotron.vision.radio import load_radio
from ragvl.generator.nemotron.vision.settings import VisionSettings
from ragvl.indexers.encoders.vision.budget import BatchBudget

__all__ = ["BATCH_TILES", "VisionModel", "load_vision"]

BATCH_TILES = 32
"""Tiles that are seen at once; fewer where memory does not last."""


class VisionModel:
    """
    Turns tiles into features; for one thread at a time.

    Args:
        radio: from tiles to patches, as `Radio`.
        projector: from merged patches to features, as `Projector`.
        settings: of the checkpoint.
        device, dtype: of both.
        batch_tiles: tiles at once, to begin with; when memory runs out, half as many from then on.
    """

    def __init__(
        self,
        radio: Callable[[torch.Tensor], torch.Tensor],
        projector: Callable[[torch.Tensor], torch.Tensor],
        settings: VisionSettings,
        device: torch.device,
        dtype: torch.dtype,
        *,
        batch_tiles: int = BATCH_TILES,
    ) -> None:
        self._radio, self._projector, self._settings = radio, projector, settings
        self._device, self._dtype = device, dtype
        self._budget = BatchBudget(batch_tiles, "tiles")

    @property
    def batch_tiles(self) -> int:
        """Tiles that are seen at once."""
        return max(1, self._budget.limit)

    def encode(self, tiles: torch.Tensor) -> torch.Tensor:
        """
        See tiles.

        Args:
            tiles: (n, 3, tile_px, tile_px) float32, normalised, in host memory.

        Returns:
            (n, tile_tokens, hidden) in the model's precision, in host memory.

        Raises:
            DeviceMemoryError: not even one tile fits.
        """
        done: dict[int, torch.Tensor] = {}

        def encode(positions: list[int]) -> None:
            done.update(zip(positions, self._see(tiles[positions]).cpu(), strict=True))

        try:
            self._budget.run(
                [1] * len(tiles),
                encode,
                lambda _: f"memory of {self._device} does not last for one tile of a picture",
            )
        except MemoryError as error:
            raise DeviceMemoryError(
                f"{error}; free some, or run the model on a device with more memory"
            ) from error
        return torch.stack([done[position] for position in range(len(tiles))])

    def _see(self, tiles: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            patches = self._radio(tiles.to(self._device, self._dtype))
            return self._projector(pixel_shuffle(patches, self._settings.merge))


def load_vision(
    config: CheckpointConfig,
    settings: VisionSettings,
    device: torch.device | str,
    *,
    dtype: torch.dtype | None = None,
    align_corners: bool = False,
    batch_tiles: int = BATCH_TILES,
) -> VisionModel:
    """
    Read vision model and projector of a checkpoint.

    Args:
        config: of the checkpoint.
        settings: its vision side.
        device: where the model goes.
        dtype: of the model; None for what suits the device.
        align_corners: how position embeddings are interpolated, see `position_table`.
        batch_tiles: tiles that are seen at once.

    Raises:
        ModelFileError: files are absent or damaged, or the tensors are not those of the model.
        MissingExtraError: transformers does not have the vision model.
    """
    device = torch.device(device)
    dtype = default_dtype(device) if dtype is None else dtype
    reader = TensorReader(device)
    entries = read_index(config.folder)
    seen, projected = part(entries, "vision"), part(entries, "projector")
    radio = load_radio(seen, settings, reader, device, dtype, align_corners=align_corners)
    projector = load_projector(
        projected, reader, device, dtype, in_features=radio_shape(seen).width * settings.merge**2
    )
    return VisionModel(radio, projector, settings, device, dtype, batch_tiles=batch_tiles)
