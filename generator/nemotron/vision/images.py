"""From an encoded picture to the tiles that the vision model sees."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ragvl.errors import GeneratorError
from ragvl.generator.nemotron.vision.settings import VisionSettings
from ragvl.generator.tiling import tile_grid
from ragvl.types import PageImage

__all__ = ["MAX_PIXELS", "Picture", "cut_tiles", "decode", "digest", "whole_tile"]

Picture = PageImage | Image.Image
"""A picture as it comes: encoded, or decoded already."""

MAX_PIXELS = 40_000_000

_FILES: Mapping[str, Callable[[io.BytesIO], ImageFile]] = {
    "image/png": PngImageFile,
    "image/jpeg": JpegImageFile,
    "image/webp": WebPImageFile,
}


def digest(picture: Picture) -> str:
    """Hash a picture's content: of an encoded one the bytes, of another the pixels; hexadecimal."""
    if isinstance(picture, PageImage):
        return hashlib.sha256(picture.data).hexdigest()
    head = f"{picture.mode} {picture.width} {picture.height} ".encode()
    return hashlib.sha256(head + picture.tobytes()).hexdigest()


def decode(picture: Picture, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """
    Decode a picture as RGB; where it lets the ground through, the ground is white.

    Args:
        picture: PNG, JPEG or WebP, or decoded already.
        max_pixels: of the picture; its size is looked at before anything is decoded.

    Raises:
        GeneratorError: it has more pixels, or cannot be decoded.
    """
    if isinstance(picture, Image.Image):
        _require_size(picture, max_pixels)
        return _rgb(picture)
    if picture.media_type not in _FILES:
        raise GeneratorError(f"a picture of type {picture.media_type}; known are {', '.join(_FILES)}")
    try:
        # `Image.open` would come with Pillow's own limit, which is the same for a whole process.
        with _FILES[picture.media_type](io.BytesIO(picture.data)) as opened:
            _require_size(opened, max_pixels)
            opened.load()
            return _rgb(opened)
    except (OSError, SyntaxError, ValueError, EOFError, UnidentifiedImageError) as error:
        raise GeneratorError(
            f"a picture of type {picture.media_type}, {len(picture.data):,} bytes, cannot be decoded: {error}"
        ) from error


def cut_tiles(image: Image.Image, settings: VisionSettings, max_tiles: int | None = None) -> torch.Tensor:
    """
    Stretch a picture to the grid nearest in shape, and cut it.

    Args:
        image: RGB.
        settings: of the checkpoint.
        max_tiles: when it is not the checkpoint's.

    Returns:
        (tiles, 3, tile_px, tile_px) float32, normalised: row by row, the thumbnail last.
    """
    edge = settings.tile_px
    across, down = tile_grid(image.width, image.height, max_tiles or settings.max_tiles, edge)
    pixels = _pixels(image)
    tiles = _resized(pixels, down * edge, across * edge).view(3, down, edge, across, edge)
    tiles = tiles.permute(1, 3, 0, 2, 4).reshape(across * down, 3, edge, edge)
    if settings.thumbnail and across * down > 1:
        tiles = torch.cat([tiles, _resized(pixels, edge, edge)[None]])
    return _normalised(tiles, settings)


def whole_tile(image: Image.Image, settings: VisionSettings) -> torch.Tensor:
    """Stretch a picture to one tile, as a frame of a video is: (1, 3, tile_px, tile_px) float32, normalised."""
    return _normalised(_resized(_pixels(image), settings.tile_px, settings.tile_px)[None], settings)


def _pixels(image: Image.Image) -> torch.Tensor:
    """(3, height, width) float32 from 0 to 1."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div_(255)


def _resized(pixels: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Resize as the model's own image processor does: bicubic, antialiased, in float, overshoot not clipped."""
    if pixels.shape[1:] == (height, width):
        return pixels
    return F.interpolate(
        pixels[None], size=(height, width), mode="bicubic", antialias=True, align_corners=False
    )[0]


def _normalised(tiles: torch.Tensor, settings: VisionSettings) -> torch.Tensor:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (settings.mean, settings.std))
    return (tiles - mean) / std


def _require_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise GeneratorError(
            f"a picture of {image.width:,} x {image.height:,} pixels has more than the {max_pixels:,} that are decoded;"
            " draw it smaller"
        )


def _rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
