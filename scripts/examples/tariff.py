"""Make the tariff board: a picture of the enamel sign on the quay at Port Averil."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from examples import art, facts, palette
from examples.canvas import Booklet, Box, Sheet
from examples.facts import FARES
from examples.palette import Style, hex_color, mix
from examples.raster import page_pixels, palette_png

__all__ = ["make_tariff"]

_SIZE = (720.0, 812.0)
_DPI = 144
_BOARD: Box = (46.0, 42.0, 674.0, 766.0)
_CREAM = hex_color("FBF3DF")
_ENAMEL = hex_color("143A4B")
_BAND = hex_color("1C4A5D")
_LEFT = 92.0
_RIGHT = 628.0
_COLUMNS = (372.0, 502.0, 624.0)


def make_tariff(path: Path) -> None:
    """Write the tariff board as a PNG."""
    booklet = Booklet(*_SIZE, "", "")
    sheet = booklet.add_sheet()
    _wall(sheet)
    _board(sheet)
    _heading(sheet)
    y = _section(sheet, 262, "Single fare, EUR", _fare_rows())
    y = _section(sheet, y + 50, "Boats each day", _boat_rows())
    note = Style("helv", 14.5, 20, _CREAM)
    sheet.text((360, y + 40), "To Whinsay change boats at Skerrin.", note, align="center")
    text = "Dogs and children under four travel free."
    sheet.text((360, y + 62), text, note, align="center")
    path.write_bytes(palette_png(page_pixels(booklet, 0, _DPI), 160))


def _fare_rows() -> list[tuple[str, list[str]]]:
    """Return the lines of the price list."""
    return [
        ("Adult", [f"{fare.adult:.2f}" for fare in FARES]),
        ("Child, 4 to 15", [f"{fare.child:.2f}" for fare in FARES]),
        ("Bicycle", [f"{fare.bicycle:.2f}" for fare in FARES]),
        ("Car with driver", [f"{fare.car_with_driver:.2f}" for fare in FARES]),
    ]


def _boat_rows() -> list[tuple[str, list[str]]]:
    """Return the lines of the timetable."""
    return [
        ("First boat", [fare.first_boat for fare in FARES]),
        ("Last boat", [fare.last_boat for fare in FARES]),
        ("Berth", [str(fare.berth) for fare in FARES]),
    ]


def _wall(sheet: Sheet) -> None:
    """Draw whitewashed planks."""
    rng = np.random.default_rng(7)
    width = _SIZE[0] / 6
    for index in range(6):
        x = index * width
        tone = mix(hex_color("E4E6E0"), hex_color("D3D8D3"), float(rng.random()))
        sheet.rect((x, 0, x + width, _SIZE[1]), tone)
        sheet.rect((x, 0, x + 2.0, _SIZE[1]), hex_color("B4BDB8"))
        for _ in range(5):
            grain = x + float(rng.uniform(10, width - 10))
            top = float(rng.uniform(-100, _SIZE[1]))
            end = top + float(rng.uniform(80, 320))
            sheet.line([(grain, top), (grain, end)], hex_color("C6CDC7"), 0.8)


def _board(sheet: Sheet) -> None:
    """Draw the enamel board, its shadow, its two borders and four screws."""
    x0, y0, x1, y1 = _BOARD
    for spread in range(5, 0, -1):
        shadow = (x0 + 4 - spread, y0 + 8 - spread, x1 + 4 + spread, y1 + 8 + spread)
        sheet.rect(shadow, palette.NAVY, radius_pt=24, opacity=0.07)
    sheet.rect(_BOARD, _CREAM, radius_pt=20)
    sheet.rect((x0 + 6, y0 + 6, x1 - 6, y1 - 6), _ENAMEL, radius_pt=16)
    sheet.rect((x0 + 15, y0 + 15, x1 - 15, y1 - 15), stroke=_CREAM, width=1.4, radius_pt=10)
    for x in (x0 + 30, x1 - 30):
        for y in (y0 + 30, y1 - 30):
            sheet.circle((x, y), 6, hex_color("C9B48A"))
            sheet.circle((x, y), 6, stroke=hex_color("8C7448"), width=1)
            sheet.line([(x - 3.6, y - 2.4), (x + 3.6, y + 2.4)], hex_color("8C7448"), 1.6)


def _heading(sheet: Sheet) -> None:
    """Set the operator, the port and the season."""
    art.draw_mark(sheet, (360, 100), 22, _CREAM, _ENAMEL)
    name = Style("tiro", 38, 40, _CREAM)
    sheet.text((360, 166), facts.SHORT_NAME, name, align="center")
    season = "From Port Averil, 1 May to 30 September 2026"
    sheet.text((360, 196), season, Style("helv", 17.5, 20, palette.GOLD), align="center")
    sheet.line([(_LEFT - 12, 218), (_RIGHT + 12, 218)], _CREAM, 1.0)


def _section(sheet: Sheet, top: float, title: str, rows: list[tuple[str, list[str]]]) -> float:
    """Set one table of three destinations and return the y below it."""
    label = Style("helv", 17.5, 20, palette.GOLD)
    head = Style("hebo", 17.5, 20, palette.GOLD)
    figure = Style("hebo", 22, 26, _CREAM)
    sheet.text((_LEFT, top), title, label)
    for x, fare in zip(_COLUMNS, FARES, strict=True):
        sheet.text((x, top), fare.destination, head, align="right")
    y = top + 14
    for index, (name, values) in enumerate(rows):
        if index % 2 == 0:
            sheet.rect((_LEFT - 12, y, _RIGHT + 12, y + 44), _BAND, radius_pt=4)
        sheet.text((_LEFT, y + 29), name, Style("helv", 20, 24, _CREAM))
        for x, value in zip(_COLUMNS, values, strict=True):
            sheet.text((x, y + 30), value, figure, align="right")
        y += 44
    return y
