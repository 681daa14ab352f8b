"""Draw the co-operative's house illustrations: layered islands, a ferry, a mark."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from examples import palette
from examples.canvas import Box, Point, Sheet
from examples.palette import Color, hex_color, mix

__all__ = ["DAY_FERRY", "FERRY_PARTS", "draw_ferry", "draw_mark", "ferry_windows", "ridge", "seascape"]

# A ferry 100 units long; the waterline is y = 0 and up is negative. Names are colour roles.
FERRY_PARTS: tuple[tuple[str, tuple[Point, ...]], ...] = (
    ("mast", ((67.6, -48), (68.6, -48), (68.9, -34), (67.3, -34))),
    ("mast", ((61, -43), (75, -43), (75, -42.2), (61, -42.2))),
    ("funnel", ((33, -38), (42, -38), (44, -26), (33, -26))),
    ("band", ((33, -35.6), (42.4, -35.6), (42.9, -32.4), (33, -32.4))),
    ("house", ((59, -36), (76, -36), (80, -27.5), (59, -27.5))),
    ("house", ((16, -28), (84, -28), (88, -20), (12, -20))),
    ("house", ((5, -20.5), (95, -20.5), (98, -11), (3, -11))),
    ("hull", ((-3, -12.5), (104, -12.5), (100, -6), (95, 2), (5, 2), (0, -6))),
    ("stripe", ((-2.2, -10.6), (103, -10.6), (102, -9), (-1.4, -9))),
)


def ferry_windows() -> list[tuple[float, float, float, float]]:
    """Return the ferry's windows as x0, y0, x1, y1 in the units of FERRY_PARTS."""
    bridge = [(62 + 4.2 * i, -34.0, 65 + 4.2 * i, -31.2) for i in range(4)]
    saloon = [(18 + 4.6 * i, -25.6, 21 + 4.6 * i, -22.8) for i in range(14)]
    deck = [(10 + 8.2 * i, -18.0, 15.4 + 8.2 * i, -14.6) for i in range(10)]
    return [*bridge, *saloon, *deck]


def draw_ferry(sheet: Sheet, at: Point, scale: float, colors: dict[str, Color]) -> None:
    """Draw the ferry with its stern at a point; scale is points per unit."""
    for role, outline in FERRY_PARTS:
        points = [(at[0] + x * scale, at[1] + y * scale) for x, y in outline]
        sheet.polygon(points, colors[role])
    for x0, y0, x1, y1 in ferry_windows():
        left, top = at[0] + x0 * scale, at[1] + y0 * scale
        box = (left, top, left + (x1 - x0) * scale, top + (y1 - y0) * scale)
        sheet.rect(box, colors["window"])


DAY_FERRY: dict[str, Color] = {
    "mast": palette.NAVY,
    "funnel": palette.CORAL,
    "band": palette.WHITE,
    "house": hex_color("FFFDF8"),
    "hull": palette.NAVY,
    "stripe": palette.CORAL,
    "window": palette.TEAL,
}


def ridge(box: Box, seed: int, roughness: float, steps: int = 120) -> list[Point]:
    """Return the closed outline of a hill range filling a box from its skyline down."""
    x0, y0, x1, y1 = box
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * math.pi, 7)
    points = []
    for step in range(steps + 1):
        t = step / steps
        height = sum(math.sin(2 * math.pi * (0.7 + 0.9 * k) * t + phases[k]) * roughness**k for k in range(7))
        share = 0.5 + height / (2 * sum(roughness**k for k in range(7)))
        points.append((x0 + (x1 - x0) * t, y1 - (y1 - y0) * share))
    return [*points, (x1, y1), (x0, y1)]


def seascape(sheet: Sheet, box: Box, *, horizon: float, seed: int = 3) -> None:
    """Draw a morning sky, a sun, three ranges of islands and a banded sea inside a box."""
    x0, y0, x1, y1 = box
    codes = ("1D4B5C", "2F6C7B", "5B98A1", "B4C6B4", "F0D3A6", "F2B384")
    sheet.gradient((x0, y0, x1, horizon), [hex_color(code) for code in codes], bands=240)
    sun = (x0 + (x1 - x0) * 0.70, horizon - (y1 - y0) * 0.085)
    size = (x1 - x0) * 0.062
    for factor, opacity in ((3.2, 0.10), (2.2, 0.13), (1.5, 0.18)):
        sheet.circle(sun, size * factor, hex_color("FFF0D0"), opacity=opacity)
    sheet.circle(sun, size, hex_color("FFF4DC"))
    _islands(sheet, (x0, x1), horizon, (y1 - y0), seed)
    _sea(sheet, (x0, horizon, x1, y1), sun[0])


def _islands(sheet: Sheet, span: tuple[float, float], horizon: float, height: float, seed: int) -> None:
    """Draw three ranges standing on the horizon, the nearest darkest."""
    tones: Sequence[tuple[str, float]] = (("9DB7B4", 0.17), ("5F8F96", 0.115), ("2C6472", 0.07))
    for index, (code, share) in enumerate(tones):
        box = (span[0], horizon - height * share, span[1], horizon + 0.5)
        sheet.polygon(ridge(box, seed + index, 0.62), hex_color(code))


def _sea(sheet: Sheet, box: Box, sun_x: float) -> None:
    """Draw the sea as a gradient with the sun's path as broken dashes."""
    x0, y0, x1, y1 = box
    sheet.gradient(box, (hex_color("8FB9B5"), hex_color("2F7482"), palette.NAVY), bands=120)
    rng = np.random.default_rng(11)
    for _ in range(150):
        depth = float(rng.uniform(0.01, 0.62)) ** 1.25
        y = y0 + (y1 - y0) * depth
        spread = 14 + 190 * depth
        x = sun_x + float(rng.normal(0, 0.42)) * spread
        half = float(rng.uniform(2, 9)) * (0.5 + 2.4 * depth)
        if x - half < x0 or x + half > x1:
            continue
        glow = mix(hex_color("FFF1D6"), hex_color("7FB6B9"), depth)
        sheet.line([(x - half, y), (x + half, y)], glow, 0.5 + 1.9 * depth, opacity=0.55)


def draw_mark(sheet: Sheet, center: Point, radius: float, ink: Color, ground: Color) -> None:
    """Draw the house mark: a circle holding an island and two waves."""
    cx, cy = center
    sheet.circle(center, radius, ink)
    hill = [
        (cx + radius * x, cy + radius * (0.12 - 0.62 * math.exp(-((x + 0.12) ** 2) * 9)))
        for x in np.linspace(-0.62, 0.62, 40)
    ]
    floor = cy + radius * 0.14
    sheet.polygon([*hill, (hill[-1][0], floor), (hill[0][0], floor)], ground)
    for row in (0.32, 0.56):
        half = math.sqrt(1 - row**2) * 0.72
        wave = [
            (cx + radius * x, cy + radius * (row + 0.055 * math.sin(x * 13)))
            for x in np.linspace(-half, half, 40)
        ]
        sheet.line(wave, ground, radius * 0.085)
