"""From a picture's bytes to tiles."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ragvl.errors import GeneratorError
from ragvl.generator.nemotron.vision.images import cut_tiles, decode, digest, whole_tile
from ragvl.generator.nemotron.vision.settings import VisionSettings
from ragvl.types import PageImage
from tests.generator.nemotron.vision.tiny_vision import TILE_PX, encoded, page_image

_SETTINGS = VisionSettings(
    tile_px=TILE_PX,
    patch_px=16,
    merge=2,
    max_tiles=12,
    thumbnail=True,
    mean=(0.5, 0.4, 0.3),
    std=(0.2, 0.25, 0.5),
    heads=2,
)


def _noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _normal(pixels: torch.Tensor) -> torch.Tensor:
    mean, std = torch.tensor(_SETTINGS.mean), torch.tensor(_SETTINGS.std)
    return (pixels - mean[:, None, None]) / std[:, None, None]


def test_tiles_go_row_by_row_with_the_thumbnail_last() -> None:
    """A picture that has the grid's size already is cut as it is."""
    image = _noise(3 * TILE_PX, 2 * TILE_PX)
    tiles = cut_tiles(image, _SETTINGS)
    assert tiles.shape == (7, 3, TILE_PX, TILE_PX)
    pixels = _normal(torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255)
    for number in range(6):
        top, left = number // 3 * TILE_PX, number % 3 * TILE_PX
        torch.testing.assert_close(tiles[number], pixels[:, top : top + TILE_PX, left : left + TILE_PX])
    torch.testing.assert_close(tiles[6], whole_tile(image, _SETTINGS)[0])


def test_resizing_is_bicubic_with_antialiasing() -> None:
    """As Pillow's bicubic, but for its rounding to whole numbers and its clipping."""
    image = _noise(300, 200)
    found = whole_tile(image, _SETTINGS)[0]
    resized = image.resize((TILE_PX, TILE_PX), Image.Resampling.BICUBIC)
    wanted = _normal(torch.from_numpy(np.array(resized)).permute(2, 0, 1) / 255)
    # One step of 8 bits, by the smallest deviation.
    torch.testing.assert_close(found, wanted, atol=1.5 / 255 / 0.2, rtol=0)


def test_overshoot_is_not_clipped() -> None:
    """A sharp edge goes beyond black and white, as in the released processor."""
    image = Image.new("RGB", (40, 40), "black")
    image.paste("white", (20, 0, 40, 40))
    plain = replace(_SETTINGS, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    tile = whole_tile(image, plain)
    assert tile.min() < -0.02
    assert tile.max() > 1.02


def test_fewer_tiles_when_told() -> None:
    """`max_tiles` bounds the grid; a picture of one tile, or of a checkpoint without thumbnails, gets none."""
    image = _noise(3 * TILE_PX, 2 * TILE_PX)
    assert len(cut_tiles(image, _SETTINGS, 1)) == 1
    assert len(cut_tiles(image, _SETTINGS, 2)) == 3
    assert len(cut_tiles(image, replace(_SETTINGS, thumbnail=False))) == 6


def test_pictures_are_decoded() -> None:
    """PNG, JPEG and WebP, grey and coloured; the ground behind a transparent picture is white."""
    image = _noise(20, 10)
    for media_type, form in (("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/webp", "WEBP")):
        buffer = io.BytesIO()
        image.save(buffer, form)
        found = decode(PageImage(buffer.getvalue(), media_type, 20, 10))
        assert (found.mode, found.size) == ("RGB", (20, 10))
    assert np.array_equal(np.array(decode(encoded(image))), np.array(image))
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert decode(encoded(clear)).getpixel((0, 0)) == (255, 255, 255)
    assert decode(Image.new("L", (4, 4), 7)).getpixel((0, 0)) == (7, 7, 7)


def _huge_png(width: int, height: int) -> PageImage:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(64)))
    return PageImage(data + chunk(b"IEND", b""), "image/png", 10, 10)


def test_a_picture_with_too_many_pixels_is_not_decoded() -> None:
    """By what its own header says, beyond Pillow's limits too; what it is said to be does not count."""
    for side in (6400, 30_000):
        with pytest.raises(GeneratorError, match="40,000,000 that are decoded"):
            decode(_huge_png(side, side))
    with pytest.raises(GeneratorError, match="20 x 10 pixels"):
        decode(_noise(20, 10), max_pixels=199)


def test_pictures_that_are_none() -> None:
    """Cut short, of another type than said, or of a type that is not known: an error that can be told to a user."""
    page = page_image(50, 40)
    for data in (page.data[:60], b"", b"GIF89a" + page.data):
        with pytest.raises(GeneratorError, match="cannot be decoded"):
            decode(replace(page, data=data))
    with pytest.raises(GeneratorError, match="image/tiff"):
        decode(replace(page, media_type="image/tiff"))


def test_a_digest_is_of_the_content() -> None:
    """Equal pictures have one, different ones do not, whether decoded or not."""
    image = _noise(8, 6)
    assert digest(encoded(image)) == digest(encoded(image.copy()))
    assert digest(image) == digest(image.copy())
    assert len({digest(image), digest(image.resize((6, 8))), digest(image.convert("L"))}) == 3
