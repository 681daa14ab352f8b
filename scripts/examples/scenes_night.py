"""Paint the photographs taken after dark: the lighthouse and the winter night."""

from __future__ import annotations

import numpy as np

from examples.boats import NIGHT_SHADES, paint_ferry
from examples.brush import Picture
from examples.palette import hex_color
from examples.raster import Pixels

__all__ = ["lighthouse", "winter_night"]


def lighthouse() -> Pixels:
    """Return the lighthouse at dusk, (400, 560, 3)."""
    picture = Picture(560, 400, 12)
    picture.gradient([(0, "131B3F"), (0.3, "33346A"), (0.5, "7A5488"), (0.64, "D5848A"), (0.72, "F6BE95")])
    _stars(picture, 130, 0.42)
    streaks = np.clip((picture.clouds(18, 330, 4) - 0.54) * 5, 0, 1)
    picture.cover(streaks * np.clip((picture.y - 0.2) * 3, 0, 0.5), hex_color("4B3B6B"))
    horizon = 0.74
    far = picture.skyline(0.725, 0.06, 0.6) * (picture.y < horizon)
    picture.cover(far, hex_color("6B4C7A"))
    picture.mirror(horizon, 0.014, hex_color("16204A"), 0.75)
    lamp = (0.638, 0.243)
    _beam(picture, lamp, -1, 0.050)
    _beam(picture, lamp, 1, 0.020)
    _headland(picture)
    _tower(picture, lamp)
    picture.light(picture.glow(lamp, 0.075), (1.0, 0.82, 0.5))
    picture.light(np.clip(picture.glow(lamp, 0.018) * 2, 0, 1), (1.0, 0.97, 0.85))
    return picture.finished()


def _stars(picture: Picture, count: int, lowest: float) -> None:
    """Paint stars, fewer and fainter towards the lowest height."""
    for _ in range(count):
        y = float(picture.rng.uniform(0, 1)) ** 1.4 * lowest
        x = float(picture.rng.uniform(0, 1))
        radius = float(picture.rng.uniform(0.55, 1.05)) / picture.width
        strength = float(picture.rng.uniform(0.35, 1.0)) * (1 - y / lowest * 0.7)
        picture.light(picture.glow((x, y), radius) * strength, (0.95, 0.95, 1.0))


def _beam(picture: Picture, lamp: tuple[float, float], side: int, slope: float) -> None:
    """Paint one beam of the lamp to the left (-1) or the right (1)."""
    reach = (picture.x - lamp[0]) * side
    center = lamp[1] - slope * reach
    width = 0.006 + 0.085 * np.clip(reach, 0, None)
    cone = np.exp(-(((picture.y - center) / width) ** 2)) * (reach > 0)
    picture.light(cone * np.exp(-reach * 2.4) * 0.62, (1.0, 0.88, 0.62))


def _headland(picture: Picture) -> None:
    """Paint the rocks the tower stands on."""
    crest = np.interp(
        picture.x[0],
        [0.36, 0.42, 0.50, 0.56, 0.72, 0.80, 0.90, 1.0],
        [0.775, 0.735, 0.70, 0.655, 0.650, 0.69, 0.705, 0.665],
    )
    crest = crest + (picture.clouds(400, 22, 3)[0] - 0.5) * 0.035
    foot = 0.775 + (picture.clouds(400, 30, 3)[1] - 0.5) * 0.03 + 0.05 * (picture.x[0] - 0.4)
    rock = (picture.y > crest) & (picture.y < foot) & (picture.x > 0.37)
    tone = 0.55 + 0.9 * picture.clouds(16, 26, 4)
    picture.cover(rock.astype(np.float64), tone[..., None] * np.array(hex_color("2A2140")))
    foam = np.exp(-(((picture.y - foot) / 0.006) ** 2)) * (picture.x > 0.38)
    picture.light(foam * picture.clouds(6, 20, 2) * 0.8, (0.95, 0.80, 0.85))


def _tower(picture: Picture, lamp: tuple[float, float]) -> None:
    """Paint the tapering tower with two red bands, gallery, lantern and keeper's house."""
    x, top = lamp
    foot = 0.665
    shade = np.interp(picture.x, [x - 0.04, x - 0.01, x + 0.04], [1.05, 0.92, 0.50])
    cream = shade[..., None] * np.array(hex_color("F5E3D6"))
    red = shade[..., None] * np.array(hex_color("B8423C"))
    body = [
        (x - 0.020, top + 0.045),
        (x + 0.020, top + 0.045),
        (x + 0.036, foot),
        (x - 0.036, foot),
    ]
    tower = picture.outline(body)
    picture.cover(tower, cream)
    for start, end in ((0.355, 0.425), (0.505, 0.580)):
        picture.cover(tower * ((picture.y > start) & (picture.y < end)), red)
    dark = hex_color("231D36")
    picture.cover(picture.box(x - 0.030, top + 0.033, x + 0.030, top + 0.047), dark)
    picture.cover(picture.box(x - 0.015, top - 0.028, x + 0.015, top + 0.034), hex_color("FFE7A6"))
    for bar in (-0.015, -0.001, 0.013):
        picture.cover(picture.box(x + bar, top - 0.028, x + bar + 0.002, top + 0.034), dark)
    roof = [(x - 0.020, top - 0.026), (x, top - 0.078), (x + 0.020, top - 0.026)]
    picture.cover(picture.outline(roof), red)
    _keepers_house(picture, x + 0.05, foot)


def _keepers_house(picture: Picture, x: float, foot: float) -> None:
    """Paint a cottage with two lit windows beside the tower."""
    picture.cover(picture.box(x, foot - 0.058, x + 0.105, foot + 0.012), hex_color("A98C9A"))
    roof = [(x - 0.008, foot - 0.056), (x + 0.02, foot - 0.105), (x + 0.085, foot - 0.105)]
    picture.cover(picture.outline([*roof, (x + 0.113, foot - 0.056)]), hex_color("3A2B4C"))
    picture.cover(picture.box(x + 0.068, foot - 0.130, x + 0.080, foot - 0.10), hex_color("3A2B4C"))
    for left in (0.022, 0.066):
        window = picture.box(x + left, foot - 0.040, x + left + 0.017, foot - 0.016)
        picture.cover(window, hex_color("FFD98A"))


def winter_night() -> Pixels:
    """Return northern lights over the night boat, (330, 1000, 3)."""
    picture = Picture(1000, 330, 44)
    picture.gradient([(0, "050B1E"), (0.35, "0B1D38"), (0.62, "123B4D")])
    _stars(picture, 190, 0.55)
    for seed, base, tone in (
        (1, 0.40, (0.15, 0.85, 0.55)),
        (2, 0.30, (0.12, 0.62, 0.66)),
        (3, 0.45, (0.30, 0.95, 0.60)),
    ):
        _curtain(picture, seed, base, tone)
    horizon = 0.66
    _snow_range(picture, horizon, 7, 0.36, "A9C9D2")
    _snow_range(picture, horizon, 9, 0.20, "7FA6B4")
    picture.mirror(horizon, 0.010, hex_color("04101F"), 0.62)
    paint_ferry(picture, (0.58, 0.725), 0.0015, NIGHT_SHADES)
    return picture.finished(0.010)


def _curtain(picture: Picture, seed: int, base: float, tone: tuple[float, float, float]) -> None:
    """Paint one folded curtain of northern light hanging from the sky."""
    rng = np.random.default_rng(seed)
    x = picture.x[0]
    fold = sum(
        float(rng.uniform(0.2, 0.8)) / k * np.sin(2 * np.pi * k * x * 0.8 + rng.uniform(0, 6.3))
        for k in range(1, 5)
    )
    foot = base + 0.10 * np.asarray(fold)
    rays = 0.35 + 0.65 * picture.clouds(900, 36, 4)[3]
    veil = np.clip(np.sin(np.pi * np.clip(x * 1.1 - 0.05 * seed, 0, 1)), 0, 1)
    above = foot[None, :] - picture.y
    body = np.where(above > 0, np.exp(-above * 6.5), np.exp(above * 55))
    picture.light(body * (rays * veil)[None, :] * 0.85, tone)
    crown = np.where(above > 0.12, np.exp(-(above - 0.12) * 9), 0) * (rays * veil)[None, :]
    picture.light(crown * 0.40, (0.62, 0.25, 0.75))


def _snow_range(picture: Picture, horizon: float, count: int, tallest: float, snow: str) -> None:
    """Paint faceted mountains: snow to the left of each ridge line, shadow to the right."""
    places = (np.arange(count) + picture.rng.uniform(0.15, 0.85, count)) / count
    heights = tallest * picture.rng.uniform(0.45, 1.0, count)
    slope = 2.1
    rough = (picture.clouds(900, 26, 4)[5] - 0.5) * 0.07
    flanks = heights[:, None] - slope * np.abs(picture.x[0][None, :] - places[:, None])
    crest = np.clip(flanks.max(axis=0), 0.02, None) + rough
    owner = flanks.argmax(axis=0)
    mask = np.clip((picture.y - (horizon - crest)[None, :]) * picture.height + 0.5, 0, 1)
    fall = np.clip(picture.y - (horizon - heights[owner])[None, :], 0, 1)
    wander = (picture.clouds(30, 40, 4) - 0.5) * 0.30 * np.sqrt(fall) + 0.10 * fall
    side = places[owner][None, :] + wander - picture.x
    light = np.clip(side * 130, 0, 1) * (0.72 + 0.5 * (picture.clouds(24, 18, 4) - 0.4))
    shaded = np.array(hex_color("17344A"))
    tone = shaded + (np.array(hex_color(snow)) - shaded) * light[..., None]
    haze = np.clip(1 - (horizon - picture.y) / 0.12, 0, 0.75)[..., None]
    tone = tone * (1 - haze) + np.array(hex_color("184B5C")) * haze
    picture.cover(mask * (picture.y < horizon), tone)
