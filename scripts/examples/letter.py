"""Make the scanned letter: typed, signed and stamped, then turned into a picture of paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from examples import facts
from examples.canvas import Booklet, Point, Sheet, smooth
from examples.palette import Style, hex_color
from examples.raster import Pixels, jpeg, noise, page_pixels, to_image

__all__ = ["make_letter"]

_SIZE = (595.0, 842.0)
_LEFT = 76.0
_WIDTH = 452.0
_DPI = 150
_ANGLE_DEG = 0.7
_INK = hex_color("1C1E2B")
_BLUE = hex_color("24408E")
_RED = hex_color("B3302A")
_TYPED = Style("cour", 11.6, 17.2, _INK)

_ADDRESS = (
    "Mr Tobias Quill",
    "Tarrow Isles Ferry Co-operative",
    "Harbour House, 3 Netmakers' Row",
    "Port Averil",
)
_BODY = (
    "Dear Mr Quill,",
    (
        "We sounded Berth 2 on 24 February. The least depth at low water is now "
        f"{facts.LEAST_DEPTH_M} metres. In 2023 it was 4.1 metres."
    ),
    (
        "MV Kittiwake draws 3.1 metres. Our rule asks for half a metre of clear water under the keel. "
        "She may therefore not lie at Berth 2 within two hours of low water until the berth has been "
        "dredged. MV Dunlin and MV Turnstone may use it at any tide."
    ),
    (
        "Dredging will last from 18 May to 5 June 2026. It will cost EUR "
        f"{facts.DREDGING_COST_EUR:,}. Under the agreement of 2011 your co-operative pays one third, "
        f"which is EUR {facts.DREDGING_SHARE_EUR:,}."
    ),
    (
        "Please send me your new berth plan by 20 March. I am sorry to spoil a timetable that was "
        "running so well."
    ),
    "Yours sincerely,",
)


def make_letter(path: Path) -> None:
    """Write the one-page scan, which has no text layer."""
    booklet = Booklet(*_SIZE, "", "")
    _draw(booklet.add_sheet())
    scan = jpeg(_as_paper(page_pixels(booklet, 0, _DPI)), 62)
    scanned = Booklet(*_SIZE, "Scan 2026-03-06", "")
    scanned.add_sheet().image((0, 0, *_SIZE), scan)
    scanned.save(path)


def _draw(sheet: Sheet) -> None:
    """Draw the clean letter."""
    _letterhead(sheet)
    y = 168.0
    for line in _ADDRESS:
        _typed(sheet, (_LEFT, y), line)
        y += _TYPED.leading_pt
    _typed(sheet, (_LEFT, 266), "3 March 2026")
    _typed(sheet, (_LEFT + 236, 266), "Our ref. OHO/2026/017")
    _typed(sheet, (_LEFT, 302), "Berth 2, Otterhaven: depth of water")
    sheet.line([(_LEFT, 306.5), (_LEFT + 244, 306.5)], _INK, 0.9)
    y = 338.0
    for paragraph in _BODY:
        for line in sheet.wrap(paragraph, _WIDTH, _TYPED):
            _typed(sheet, (_LEFT, y), line)
            y += _TYPED.leading_pt
        y += 9.5
    _signature(sheet, (_LEFT + 6, y + 18))
    _typed(sheet, (_LEFT, y + 62), f"Captain {facts.HARBOUR_MASTER}")
    _typed(sheet, (_LEFT, y + 62 + _TYPED.leading_pt), "Harbour Master")
    _ring_stamp(sheet, (318, y + 42))
    _date_stamp(sheet, (398, 142))


def _typed(sheet: Sheet, at: Point, text: str) -> None:
    """Type a line, each word a hair above or below the baseline as old machines do."""
    rng = np.random.default_rng(len(text) * 31 + int(at[1]))
    x = at[0]
    for word in text.split(" "):
        lift = float(rng.normal(0, 0.22))
        x += sheet.text((x, at[1] + lift), f"{word} ", _TYPED)


def _letterhead(sheet: Sheet) -> None:
    """Draw the harbour office's heading with its anchor."""
    _anchor(sheet, (_LEFT + 14, 74), 15)
    sheet.text((_LEFT + 44, 74), "Otterhaven Harbour Office", Style("tibo", 21, 24, _INK))
    line = "The Old Customs House, Quay Street, Otterhaven"
    sheet.text((_LEFT + 44, 92), line, Style("tiit", 12, 14, _INK))
    sheet.line([(_LEFT, 112), (_LEFT + _WIDTH, 112)], _INK, 1.4)
    sheet.line([(_LEFT, 115), (_LEFT + _WIDTH, 115)], _INK, 0.5)


def _anchor(sheet: Sheet, center: Point, size: float) -> None:
    """Draw an anchor."""
    x, y = center
    sheet.circle((x, y - size), size * 0.24, stroke=_INK, width=1.8)
    sheet.line([(x, y - size * 0.75), (x, y + size)], _INK, 2.2)
    sheet.line([(x - size * 0.5, y - size * 0.42), (x + size * 0.5, y - size * 0.42)], _INK, 2.2)
    fluke = [(-0.85, 0.25), (-0.62, 0.75), (0.0, 1.02), (0.62, 0.75), (0.85, 0.25)]
    sheet.line(smooth([(x + size * a, y + size * b) for a, b in fluke]), _INK, 2.2)


def _signature(sheet: Sheet, at: Point) -> None:
    """Draw a signature in blue ink, twice with a small shift so that it swells like a nib."""
    x, y = at
    stroke = [
        (26, -18), (12, -22), (2, -12), (14, -4), (4, 4), (4, 14), (22, 12), (38, 2), (44, 12),
        (54, -2), (52, 10), (70, -20), (62, 14), (80, 0), (84, 11), (92, 2), (96, 11), (108, -1),
        (106, 11), (130, -24), (120, 13), (134, 8), (176, -4),
    ]  # fmt: skip
    curve = smooth([(x + a, y + b) for a, b in stroke])
    sheet.line(curve, _BLUE, 1.5)
    sheet.line([(a + 0.7, b + 0.5) for a, b in curve], _BLUE, 1.0)
    flourish = smooth([(x + 8, y + 24), (x + 70, y + 17), (x + 150, y + 19), (x + 128, y + 25)])
    sheet.line(flourish, _BLUE, 1.2)


def _ring_stamp(sheet: Sheet, center: Point) -> None:
    """Draw a round stamp with its words around the edge."""
    for radius, width in ((46.0, 2.0), (31.0, 1.0)):
        sheet.circle(center, radius, stroke=_BLUE, width=width)
    words = "OTTERHAVEN HARBOUR OFFICE · "
    style = Style("hebo", 9, 10, _BLUE)
    for index, letter in enumerate(words):
        angle = 360 * index / len(words) - 14
        rad = np.radians(angle)
        at = (center[0] + 35 * float(np.sin(rad)), center[1] - 35 * float(np.cos(rad)))
        sheet.text(at, letter, style, align="center", turn_deg=angle)
    x, y = center
    for row in (-6.0, 4.0, 14.0):
        wave = [(x - 20 + step, y + row + 2.4 * float(np.sin(step / 3.2))) for step in range(41)]
        sheet.line(wave, _BLUE, 1.3)


def _date_stamp(sheet: Sheet, at: Point) -> None:
    """Draw the receiving office's date stamp, tilted."""
    x, y = at
    tilt_deg = -6.0
    turn = np.radians(tilt_deg)
    corners = [(0, 0), (132, 0), (132, 50), (0, 50), (0, 0)]
    frame = [
        (x + a * np.cos(turn) - b * np.sin(turn), y + a * np.sin(turn) + b * np.cos(turn)) for a, b in corners
    ]
    sheet.line([(float(a), float(b)) for a, b in frame], _RED, 2.2)
    for text, size, drop in (("RECEIVED", 17.0, 21.0), ("6 MAR 2026", 15.0, 41.0)):
        middle = (
            float(x + 66 * np.cos(turn) - drop * np.sin(turn)),
            float(y + 66 * np.sin(turn) + drop * np.cos(turn)),
        )
        style = Style("hebo", size, size, _RED)
        sheet.text(middle, text, style, align="center", turn_deg=tilt_deg)


def _as_paper(clean: Pixels) -> Pixels:
    """Return the page as a scan: warm paper, uneven ink, two folds, a slight turn and grain."""
    rng = np.random.default_rng(1921)
    height, width, _ = clean.shape
    ink = 1 - clean
    wear = 0.90 + 0.10 * noise((height, width), 5, rng)
    paper = np.array(hex_color("F6F1E4")) * np.ones_like(clean)
    paper *= (0.985 + 0.02 * noise((height, width), 180, rng))[..., None]
    paper *= (0.993 + 0.012 * noise((height, width), 14, rng))[..., None]
    page = paper * (1 - ink * wear[..., None] * 0.94)
    page = _folded(page)
    page = _turned(page)
    page += 0.010 * rng.standard_normal((height, width))[..., None]
    return np.clip(page, 0.0, 1.0)


def _folded(page: Pixels) -> Pixels:
    """Return the page shaded along two folds, as if it came out of an envelope."""
    height = page.shape[0]
    rows = np.arange(height)
    shade = np.ones(height)
    for share in (0.335, 0.668):
        distance = (rows - share * height) / height
        shade -= 0.055 * np.exp(-((distance / 0.0016) ** 2))
        shade -= 0.022 * np.exp(-np.abs(distance) / 0.018) * (distance > 0)
    return page * shade[:, None, None]


def _turned(page: Pixels) -> Pixels:
    """Return the page turned clockwise on a darker scanner lid and softened by the lens."""
    lid = tuple(int(channel * 255) for channel in hex_color("D9D5CB"))
    image = to_image(page).rotate(-_ANGLE_DEG, Image.Resampling.BICUBIC, fillcolor=lid)
    softened = image.filter(ImageFilter.GaussianBlur(0.45))
    return np.asarray(softened, dtype=np.float64) / 255
