"""Paint boats on the water: the ferry, small fishing boats and their reflections."""

from __future__ import annotations

import numpy as np

from examples.art import FERRY_PARTS, ferry_windows
from examples.brush import Picture
from examples.palette import hex_color
from examples.raster import Field

__all__ = ["DAWN_SHADES", "NIGHT_SHADES", "paint_ferry", "paint_fishing_boat", "paint_wake"]

DAWN_SHADES = {
    "mast": "20283A", "funnel": "B24E3A", "band": "DDC6BC", "house": "C8ADA9",
    "hull": "1B2A42", "stripe": "B24E3A", "window": "FFE6A3",
}  # fmt: skip
NIGHT_SHADES = {
    "mast": "0C1522", "funnel": "6E3A35", "band": "8A9AA3", "house": "5F7684",
    "hull": "091524", "stripe": "8F4A40", "window": "FFD98C",
}  # fmt: skip


def paint_ferry(picture: Picture, at: tuple[float, float], scale: float, shades: dict[str, str]) -> None:
    """Paint the ferry, its stern at a point, with its broken reflection; scale: width per unit."""
    aspect = picture.width / picture.height
    parts = [(role, list(points)) for role, points in FERRY_PARTS]
    for x0, y0, x1, y1 in ferry_windows():
        parts.append(("window", [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
    for reach, opacity in ((-0.72, 0.42), (1.0, 1.0)):
        for role, points in parts:
            placed = [(at[0] + x * scale, at[1] + ((y - 2) * reach + 2) * scale * aspect) for x, y in points]
            mask = picture.outline(placed)
            if reach < 0:
                mask = _rippled(picture, mask)
            picture.cover(mask * opacity, hex_color(shades[role]))


def _rippled(picture: Picture, mask: Field) -> Field:
    """Return a mask with each few rows pushed sideways, as ripples break a reflection."""
    pushes = np.random.default_rng(3).normal(0, 3.2, picture.height // 4 + 2)
    places = 4 * np.arange(len(pushes))
    rows = np.interp(np.arange(picture.height), places, pushes)
    return np.stack([np.roll(row, int(push)) for row, push in zip(mask, rows, strict=True)])


def paint_wake(picture: Picture, at: tuple[float, float], length: float) -> None:
    """Paint a thin bright wash along the waterline and behind the stern."""
    along = np.clip((picture.x - at[0] + 0.16) / 0.16, 0, 1) * (picture.x < at[0] + length)
    thin = np.exp(-(((picture.y - at[1]) / 0.0035) ** 2))
    broken = np.clip(picture.clouds(4, 40, 2) * 2.4 - 0.8, 0, 1)
    picture.light(along * thin * broken * 0.8, (1.0, 0.86, 0.76))


def paint_fishing_boat(picture: Picture, at: tuple[float, float], length: float, code: str) -> None:
    """Paint a small boat, its stern at a point, over a dark reflection."""
    x, y = at

    def placed(points: list[tuple[float, float]]) -> Field:
        return picture.outline([(x + a * length, y + b * length) for a, b in points])

    shadow = placed([(0.02, 0.0), (0.95, 0.0), (0.8, 0.20), (0.12, 0.20)])
    picture.cover(_rippled(picture, shadow) * 0.5, hex_color("173F4B"))
    tint = _rippled(picture, placed([(0.06, 0.02), (0.9, 0.02), (0.8, 0.10), (0.1, 0.10)]))
    picture.cover(tint * 0.45, hex_color(code))
    picture.cover(placed([(0.46, -0.78), (0.475, -0.78), (0.48, -0.1), (0.455, -0.1)]), hex_color("5A4632"))
    picture.cover(placed([(0.47, -0.62), (0.86, -0.24), (0.855, -0.235), (0.47, -0.60)]), hex_color("5A4632"))
    picture.cover(placed([(0.14, -0.40), (0.42, -0.40), (0.44, -0.12), (0.12, -0.12)]), hex_color("F7F2E6"))
    picture.cover(placed([(0.11, -0.44), (0.45, -0.44), (0.44, -0.39), (0.12, -0.39)]), hex_color("5F4A3A"))
    picture.cover(placed([(0.19, -0.35), (0.28, -0.35), (0.28, -0.25), (0.19, -0.25)]), hex_color("35505E"))
    picture.cover(placed([(0.31, -0.35), (0.39, -0.35), (0.39, -0.25), (0.31, -0.25)]), hex_color("35505E"))
    hull = [
        (0.0, -0.16),
        (0.5, -0.11),
        (0.8, -0.17),
        (1.02, -0.27),
        (0.93, -0.05),
        (0.86, 0.03),
        (0.05, 0.03),
    ]
    picture.cover(placed(hull), hex_color(code))
    trim = [
        (0.0, -0.16),
        (0.5, -0.11),
        (0.8, -0.17),
        (1.02, -0.27),
        (1.01, -0.23),
        (0.8, -0.13),
        (0.5, -0.07),
        (0.0, -0.12),
    ]
    picture.cover(placed(trim), hex_color("FBF4E4"))
