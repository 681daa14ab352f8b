"""Turn drawn pages into pictures: encoded PNG and JPEG files with the same bytes each run."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from examples import charts, facts, palette
from examples.canvas import Booklet
from examples.palette import Style

__all__ = [
    "MONTHS_RATIO",
    "Field",
    "Pixels",
    "jpeg",
    "monthly_passengers",
    "noise",
    "page_pixels",
    "palette_png",
    "stretched_noise",
    "to_image",
]

Pixels = npt.NDArray[np.float64]
"""(height, width, 3) float64, red green blue in 0..1."""

Field = npt.NDArray[np.float64]
"""(height, width) float64, one number for each pixel."""

_MONTHS_SIZE = (942.0, 480.0)
MONTHS_RATIO = _MONTHS_SIZE[1] / _MONTHS_SIZE[0]


def page_pixels(booklet: Booklet, index: int, dpi: int) -> Pixels:
    """Return one page as pixels."""
    width, height, samples = booklet.rasterize(index, dpi)
    flat = np.frombuffer(samples, dtype=np.uint8).astype(np.float64) / 255
    return flat.reshape(height, width, 3)


def to_image(pixels: Pixels) -> Image.Image:
    """Return pixels as a Pillow image."""
    return Image.fromarray(np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8))


def noise(shape: tuple[int, int], scale: float, rng: np.random.Generator) -> Field:
    """Return smooth noise in 0..1 of (height, width), its blobs about ``scale`` pixels wide."""
    return stretched_noise(shape, (scale, scale), rng)


def stretched_noise(shape: tuple[int, int], scale: tuple[float, float], rng: np.random.Generator) -> Field:
    """Return smooth noise in 0..1 of (height, width), its blobs scale = (high, wide) pixels."""
    height, width = shape
    coarse = (max(int(height / scale[0]), 2), max(int(width / scale[1]), 2))
    seeds = Image.fromarray(rng.random(coarse).astype(np.float32))
    grown = seeds.resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(grown, dtype=np.float64), 0.0, 1.0)


def jpeg(pixels: Pixels, quality: int) -> bytes:
    """Return pixels as a JPEG file."""
    stream = io.BytesIO()
    to_image(pixels).save(stream, "JPEG", quality=quality, optimize=True, progressive=True)
    return stream.getvalue()


def palette_png(pixels: Pixels, colors: int) -> bytes:
    """Return pixels as a PNG file of at most so many colours (2..256)."""
    reduced = to_image(pixels).quantize(colors, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    reduced.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def monthly_passengers() -> bytes:
    """Return the chart of passengers by month as a PNG, so that only OCR can read its labels."""
    booklet = Booklet(*_MONTHS_SIZE, "", "")
    sheet = booklet.add_sheet()
    sheet.rect((0, 0, *_MONTHS_SIZE), palette.WHITE)
    sheet.rect((1, 1, _MONTHS_SIZE[0] - 1, _MONTHS_SIZE[1] - 1), stroke=palette.RULE, width=1.4)
    title = Style("hebo", 21, 26, palette.NAVY)
    tick = Style("helv", 18, 22, palette.SLATE)
    sheet.text((34, 46), "Passengers by month 2025, thousand", title)
    axis = charts.Axis((84, 92, 914, 420), 150, 50)
    items = list(zip(facts.MONTHS, facts.PASSENGERS_BY_MONTH_K, strict=True))
    value = Style("hebo", 19, 22, palette.NAVY)
    charts.bars(sheet, axis, items, peak_color=palette.CORAL, tick=tick, value=value)
    return palette_png(page_pixels(booklet, 0, 108), 32)
