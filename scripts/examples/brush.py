"""Paint on pixels: skies, noise, ridges, soft lights, outlines and reflections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from examples.palette import Color, hex_color
from examples.raster import Field, Pixels, stretched_noise

__all__ = ["Picture"]

_OVERSAMPLE = 3


class Picture:
    """A picture being painted; positions are shares of the width and of the height, 0..1."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        """Start a black picture of width by height pixels."""
        self.width = width
        self.height = height
        self.pixels: Pixels = np.zeros((height, width, 3))
        self.rng = np.random.default_rng(seed)
        ys, xs = np.mgrid[0:height, 0:width]
        self.x: Field = xs / width
        self.y: Field = ys / height

    def gradient(self, stops: Sequence[tuple[float, str]]) -> None:
        """Fill from top to bottom through (height, colour) stops."""
        heights = [height for height, _ in stops]
        colors = np.array([hex_color(code) for _, code in stops])
        for channel in range(3):
            self.pixels[..., channel] = np.interp(self.y, heights, colors[:, channel])

    def cover(self, mask: Field, color: Color | Pixels) -> None:
        """Lay a colour over the picture where the mask (0..1) is high."""
        opacity = np.clip(mask, 0, 1)[..., None]
        self.pixels = self.pixels * (1 - opacity) + np.asarray(color) * opacity

    def light(self, mask: Field, color: Color) -> None:
        """Add light without burning out what is already bright."""
        glow = np.clip(mask, 0, 1)[..., None] * np.asarray(color)
        self.pixels = 1 - (1 - self.pixels) * (1 - glow)

    def glow(self, at: tuple[float, float], radius: float) -> Field:
        """Return a soft round light; radius is a share of the width."""
        aspect = self.height / self.width
        distance = np.hypot(self.x - at[0], (self.y - at[1]) * aspect)
        return np.exp(-((distance / radius) ** 2))

    def clouds(self, high: float, wide: float, octaves: int = 4) -> Field:
        """Return layered noise in 0..1 whose largest blobs measure high by wide pixels."""
        total = np.zeros((self.height, self.width))
        weight = 0.0
        for octave in range(octaves):
            scale = (high / 2**octave, wide / 2**octave)
            total += stretched_noise(total.shape, scale, self.rng) / 1.7**octave
            weight += 1 / 1.7**octave
        return total / weight

    def skyline(self, base: float, height: float, wide: float, octaves: int = 6) -> Field:
        """Return a mask of hills: their mean crest, their height and their breadth as shares."""
        crest = np.zeros(self.width)
        for octave in range(octaves):
            count = max(int(2**octave / wide) + 2, 3)
            knots = self.rng.random(count) - 0.5
            places = np.linspace(0, self.width - 1, count)
            crest += _eased(np.arange(self.width, dtype=np.float64), places, knots) / 2.05**octave
        edge = (base - height * crest)[None, :]
        return np.clip((self.y - edge) * self.height + 0.5, 0, 1)

    def outline(self, points: Sequence[tuple[float, float]]) -> Field:
        """Return the mask of a closed outline with smooth edges."""
        size = (self.width * _OVERSAMPLE, self.height * _OVERSAMPLE)
        image = Image.new("L", size)
        corners = [(x * size[0], y * size[1]) for x, y in points]
        ImageDraw.Draw(image).polygon(corners, fill=255)
        small = image.resize((self.width, self.height), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float64) / 255

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Field:
        """Return the mask of a rectangle."""
        return self.outline([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])

    def mirror(self, horizon: float, ripple: float, tint: Color, depth: float) -> None:
        """
        Turn everything below the horizon into water reflecting what is above it.

        Args:
            horizon: height of the waterline.
            ripple: largest sideways displacement of a reflection, as a share of the width.
            tint: colour of deep water.
            depth: share of the tint at the bottom edge, 0..1.
        """
        line = int(horizon * self.height)
        rows = np.arange(self.height - line)[:, None] * np.ones((1, self.width))
        nearness = rows / max(self.height - line, 1)
        waves = stretched_noise(rows.shape, (3.0, 60.0), self.rng) - 0.5
        swell = stretched_noise(rows.shape, (9.0, 150.0), self.rng) - 0.5
        shift = (waves + swell) * (0.25 + nearness)
        across = np.arange(self.width)[None, :] + shift * ripple * self.width
        up = line - 1 - rows * (0.82 + 0.1 * nearness) + shift * 16
        source = self.pixels[
            np.clip(up, 0, line - 1).astype(int), np.clip(across, 0, self.width - 1).astype(int)
        ]
        share = (0.16 + (depth - 0.16) * nearness)[..., None]
        water = source * (1 - share) + np.asarray(tint) * share
        self.pixels[line:] = water * (0.95 + 0.16 * (waves + swell) * nearness)[..., None]

    def finished(self, grain: float = 0.012) -> Pixels:
        """Return the picture with a slight vignette, softness and film grain."""
        corner = np.hypot(self.x - 0.5, self.y - 0.5)
        shaded = self.pixels * (1 - 0.42 * np.clip(corner - 0.35, 0, 1) ** 1.4)[..., None]
        eight_bit = np.clip(shaded * 255, 0, 255).astype(np.uint8)
        soft = Image.fromarray(eight_bit).filter(ImageFilter.GaussianBlur(0.6))
        result = np.asarray(soft, dtype=np.float64) / 255
        return result + grain * self.rng.standard_normal((self.height, self.width))[..., None]


def _eased(at: Field, places: Field, values: Field) -> Field:
    """Return values interpolated with rounded corners between places."""
    index = np.clip(np.searchsorted(places, at, side="right") - 1, 0, len(places) - 2)
    share = (at - places[index]) / (places[index + 1] - places[index])
    eased = share * share * (3 - 2 * share)
    return np.asarray(values[index] * (1 - eased) + values[index + 1] * eased)
