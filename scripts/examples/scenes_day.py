"""Paint the photographs taken by daylight: the dawn crossing and the harbour."""

from __future__ import annotations

import numpy as np

from examples.boats import DAWN_SHADES, paint_ferry, paint_fishing_boat, paint_wake
from examples.brush import Picture
from examples.palette import hex_color
from examples.raster import Pixels

__all__ = ["dawn_crossing", "harbour"]


def dawn_crossing() -> Pixels:
    """Return the ferry at sunrise, (580, 1000, 3)."""
    picture = Picture(1000, 580, 5)
    picture.gradient([(0, "2F4E78"), (0.25, "7C86A8"), (0.42, "E0A79A"), (0.56, "FFC98F"), (0.62, "FFE0AE")])
    sun = (0.66, 0.565)
    _lit_clouds(picture, ceiling=0.56)
    picture.light(picture.glow(sun, 0.34), (0.62, 0.34, 0.16))
    picture.light(picture.glow(sun, 0.10), (0.95, 0.72, 0.42))
    picture.light(np.clip(picture.glow(sun, 0.024) * 3 - 0.9, 0, 1), (1.0, 0.97, 0.86))
    horizon = 0.62
    for base, height, code in (
        (0.585, 0.10, "C99A93"),
        (0.60, 0.085, "96808D"),
        (0.618, 0.06, "5A5A72"),
    ):
        hills = picture.skyline(base, height, 0.55) * (picture.y < horizon)
        picture.cover(hills * 0.92, hex_color(code))
    mist = np.exp(-(((picture.y - 0.60) / 0.022) ** 2)) * (0.35 + 0.5 * picture.clouds(20, 260))
    picture.cover(mist * (picture.y < horizon), (1.0, 0.84, 0.70))
    picture.mirror(horizon, 0.012, hex_color("1E3A57"), 0.72)
    _sun_path(picture, sun[0], horizon, (1.0, 0.82, 0.55))
    paint_ferry(picture, (0.20, 0.685), 0.0029, DAWN_SHADES)
    paint_wake(picture, (0.20, 0.692), 0.30)
    return picture.finished()


def _lit_clouds(picture: Picture, ceiling: float) -> None:
    """Paint long clouds, pink below and violet above."""
    cover = picture.clouds(70, 520, 5)
    mask = np.clip((cover - 0.50) * 4.2, 0, 1) * np.clip((ceiling - picture.y) * 6, 0, 1)
    picture.cover(mask * 0.55, hex_color("6E6C93"))
    rim = np.clip((np.roll(cover, 7, axis=0) - cover) * 9, 0, 1) * mask
    picture.light(rim * 0.9, (1.0, 0.62, 0.48))
    streaks = np.clip((picture.clouds(26, 620, 4) - 0.55) * 5, 0, 1)
    picture.light(streaks * np.clip((picture.y - 0.16) * 4, 0, 0.6), (1.0, 0.62, 0.42))


def _sun_path(picture: Picture, at: float, horizon: float, color: tuple[float, float, float]) -> None:
    """Paint glitter on the water below the sun."""
    depth = np.clip((picture.y - horizon) / (1 - horizon), 0, 1)
    spread = 0.012 + 0.11 * depth
    column = np.exp(-(((picture.x - at) / spread) ** 2)) * (picture.y > horizon)
    fine = np.clip(picture.clouds(5, 44, 2) * 2.6 - 1.25, 0, 1)
    picture.light(column * (0.30 + fine) * (1 - 0.45 * depth), color)


def harbour() -> Pixels:
    """Return the painted houses on the quay, (400, 560, 3)."""
    picture = Picture(560, 400, 31)
    picture.gradient([(0, "5E9DC4"), (0.30, "A9CFDD"), (0.55, "E3EDE6")])
    heaps = np.clip((picture.clouds(60, 190, 5) - 0.50) * 3.4, 0, 1)
    picture.cover(heaps * np.clip((0.42 - picture.y) * 5, 0, 0.9), (1.0, 0.99, 0.96))
    hills = ((0.36, 0.24, "7FA093"), (0.46, 0.16, "5B8468"))
    for base, height, code in hills:
        mask = picture.skyline(base, height, 0.8)
        tone = 0.86 + 0.28 * picture.clouds(14, 30, 4)
        picture.cover(mask, tone[..., None] * np.array(hex_color(code)))
    horizon = 0.66
    _houses(picture, horizon)
    picture.cover(picture.box(0, horizon - 0.034, 1, horizon), hex_color("8D8578"))
    joints = (np.abs((picture.x * 26) % 1) < 0.05) & (picture.y > horizon - 0.034)
    picture.cover((joints & (picture.y < horizon)).astype(np.float64) * 0.35, hex_color("4D483F"))
    picture.mirror(horizon, 0.022, hex_color("1F5563"), 0.55)
    paint_fishing_boat(picture, (0.10, 0.80), 0.24, "D9603B")
    paint_fishing_boat(picture, (0.60, 0.755), 0.17, "2F6EA3")
    return picture.finished(0.010)


def _houses(picture: Picture, floor: float) -> None:
    """Paint a row of gabled houses with windows and doors."""
    walls = (
        "D9694A",
        "F2E3C4",
        "4E8FA6",
        "E6B04E",
        "F4EEE2",
        "A9473F",
        "7FA58A",
        "EBC9A8",
        "F0E2C8",
        "5F7FA0",
    )
    x = -0.02
    for index, code in enumerate(walls):
        width = float(picture.rng.uniform(0.092, 0.118))
        eaves = floor - 0.034 - float(picture.rng.uniform(0.155, 0.215))
        _house(picture, (x, eaves, x + width, floor - 0.034), code, index)
        x += width + 0.001


def _house(picture: Picture, box: tuple[float, float, float, float], code: str, index: int) -> None:
    """Paint one house: wall lit from the left, roof, chimney, windows, door."""
    x0, y0, x1, y1 = box
    middle, width = (x0 + x1) / 2, x1 - x0
    light = np.interp(picture.x, [x0, x1], [1.04, 0.86])
    gable = [(x0, y1), (x0, y0), (middle, y0 - 0.085), (x1, y0), (x1, y1)]
    picture.cover(picture.outline(gable), light[..., None] * np.array(hex_color(code)))
    for start, end in (((x0, y0), (middle, y0 - 0.085)), ((x1, y0), (middle, y0 - 0.085))):
        side = 0.006 if start[0] == x0 else -0.006
        edge = [
            (start[0] - side, start[1] + 0.006),
            (end[0], end[1] - 0.012),
            (end[0], end[1] + 0.012),
        ]
        picture.cover(picture.outline([*edge, (start[0] - side, start[1] + 0.03)]), hex_color("56443E"))
    chimney = middle + (0.018 if index % 2 else -0.032)
    picture.cover(picture.box(chimney, y0 - 0.125, chimney + 0.015, y0 - 0.055), hex_color("7A4A3E"))
    frame, glass = hex_color("FBF6EA"), hex_color("3C5363")
    for row in range(2):
        for column in range(2):
            left = x0 + width * (0.18 + 0.42 * column)
            top = y0 + 0.012 + row * 0.085
            if row == 1 and column == index % 2:
                picture.cover(picture.box(left, top, left + 0.026, y1), hex_color("4A3A34"))
                continue
            picture.cover(picture.box(left, top, left + 0.025, top + 0.050), frame)
            picture.cover(picture.box(left + 0.004, top + 0.006, left + 0.0115, top + 0.044), glass)
            picture.cover(picture.box(left + 0.0135, top + 0.006, left + 0.021, top + 0.044), glass)
