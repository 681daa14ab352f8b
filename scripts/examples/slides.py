"""Make the strategy deck: title, route map, targets, money, charging, survey, timeline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from examples import art, charts, facts, palette
from examples.canvas import Booklet, Point, Sheet, smooth
from examples.palette import Color, Style, hex_color

__all__ = ["make_slides"]

_SIZE = (960.0, 540.0)
_LEFT = 64.0
_RIGHT = 896.0
_TITLE = Style("tiro", 38, 44, palette.NAVY)
_LABEL = Style("hebo", 10.5, 14, palette.CORAL, tracking_pt=1.2)
_BODY = Style("helv", 15, 22)
_NOTE = Style("helv", 11.5, 16, palette.SLATE)
_STRONG = Style("hebo", 15, 20, palette.NAVY)

_TARGETS = (
    ("60%", "of sailings on battery", "38% in 2025", palette.TEAL),
    ("1.0m", "passengers a year", "864,000 in 2025", palette.NAVY),
    ("3.0 kg", "carbon per passenger", "6.4 kg in 2025", palette.CORAL),
    ("€38m", "invested from 2026 to 2030", "€16m in the five years before", palette.GOLD),
)
_STEPS = (
    ("Berth", "Lasers guide the bow into the last two metres"),
    ("Plug", "An arm on the quay connects in 40 seconds"),
    ("Charge", "11 minutes at 4.2 megawatts, while cars roll off and on"),
    ("Check", "The mate confirms a battery of 85% or more"),
    ("Sail", "640 kilowatt-hours take her to Skerrin"),
)
_SURVEY = (
    ("A later last boat", 41.0),
    ("Cheaper bicycle tickets", 23.0),
    ("Better coffee", 17.0),
    ("Seats out of the wind", 12.0),
    ("Something else", 7.0),
)
_TIMELINE = (
    ("2026", "Second charger", "at Skerrin, ready in October"),
    ("2027", "Sandpiper joins", "240 seats, electric, first sailing in May"),
    ("2028", "Dunlin retires", "after thirty years of service"),
    ("2029", "Otterhaven pier", "rebuilt, with a lift at each end"),
    ("2030", "60% on battery", "and one million passengers"),
)


def make_slides(path: Path) -> None:
    """Write the seven-slide deck."""
    booklet = Booklet(*_SIZE, "Quiet water – our plan to 2030", facts.COMPANY)
    pages = (_title, _map, _targets, _money, _charging, _survey, _timeline)
    for draw in pages:
        draw(booklet.add_sheet())
    names = (
        "Quiet water",
        "Where we sail",
        "Targets for 2030",
        "Where the money goes",
        "Charging",
        "What passengers asked for",
        "Timeline",
    )
    booklet.save(path, contents=[(name, number) for number, name in enumerate(names, 1)])


def _frame(sheet: Sheet, number: int, label: str, title: str, *, dark: bool = False) -> None:
    """Draw a slide's ground, label, title, mark and number."""
    ground, ink = (palette.NAVY, palette.WHITE) if dark else (palette.PAPER, palette.NAVY)
    quiet = palette.SKY if dark else palette.SLATE
    sheet.rect((0, 0, *_SIZE), ground)
    sheet.text((_LEFT, 66), label.upper(), _LABEL.inked(palette.GOLD) if dark else _LABEL)
    sheet.text((_LEFT - 1, 110), title, _TITLE.inked(ink))
    art.draw_mark(sheet, (_LEFT + 9, 505), 9, quiet, ground)
    sheet.text((_LEFT + 26, 509), "Quiet water: our plan to 2030", _NOTE.inked(quiet))
    sheet.text((_RIGHT, 509), str(number), _STRONG.sized(12).inked(ink), align="right")


def _title(sheet: Sheet) -> None:
    """Draw the title slide over a seascape."""
    art.seascape(sheet, (0, 0, *_SIZE), horizon=390, seed=21)
    art.draw_ferry(sheet, (300, 424), 1.25, art.DAY_FERRY)
    for drop, start, end in ((5, 290, 450), (11, 276, 400), (17, 268, 340)):
        sheet.line([(start, 424 + drop), (end, 424 + drop)], palette.SKY, 1.0)
    art.draw_mark(sheet, (_LEFT + 14, 68), 14, palette.WHITE, hex_color("235566"))
    sheet.text((_LEFT + 38, 73), facts.COMPANY, _STRONG.sized(13).inked(palette.WHITE))
    sheet.text((_LEFT - 4, 184), "Quiet water", Style("tiro", 84, 84, palette.WHITE))
    sheet.text((_LEFT, 232), "Our plan to 2030", Style("tiit", 26, 30, palette.WHITE))
    place = "Members’ assembly, Port Averil, 18 April 2026"
    sheet.text((_LEFT, 500), place, _NOTE.sized(13).inked(palette.WHITE))


def _map(sheet: Sheet) -> None:
    """Draw the islands, the ports and the routes with distance and time."""
    _frame(sheet, 2, "Where we sail", "Three crossings, four ports")
    sheet.rect((_LEFT, 140, _RIGHT, 476), palette.MIST, radius_pt=6)
    islands: tuple[tuple[Point, float, float, int], ...] = (
        ((210, 330), 112, 84, 1),
        ((498, 232), 70, 40, 2),
        ((455, 428), 62, 30, 6),
        ((762, 300), 78, 62, 4),
        ((640, 412), 17, 10, 5),
        ((352, 196), 15, 10, 9),
    )
    for center, width, height, seed in islands:
        sheet.polygon(_coast(center, width + 9, height + 9, seed), palette.WHITE, opacity=0.7)
        sheet.polygon(_coast(center, width, height, seed), hex_color("CFC9A9"))
    averil, skerrin, otter, whinsay = (304.0, 300.0), (468.0, 258.0), (404.0, 412.0), (694.0, 290.0)
    _route(sheet, (averil, (380, 252), skerrin), (366, 236), "9.4 nm, 35 min")
    _route(sheet, (averil, (330, 372), otter), (402, 352), "6.1 nm, 25 min")
    _route(sheet, ((476, 266), (580, 318), whinsay), (566, 338), "12.8 nm, 50 min")
    for place, name, at in (
        (averil, "Port Averil", (214.0, 318.0)),
        (skerrin, "Skerrin", (498.0, 232.0)),
        (otter, "Otterhaven", (458.0, 434.0)),
        (whinsay, "Whinsay", (758.0, 306.0)),
    ):
        sheet.circle(place, 6, palette.WHITE, stroke=palette.CORAL, width=2.6)
        sheet.text(at, name, _STRONG, align="center")
    sheet.text((_RIGHT - 16, 464), "nm: nautical miles", _NOTE, align="right")


def _coast(center: Point, width: float, height: float, seed: int) -> list[Point]:
    """Return a wobbly island outline around a centre, of half-width and half-height."""
    points = []
    for step in range(25):
        angle = 2 * math.pi * (step % 24) / 24
        wobble = 1 + 0.10 * math.sin(3 * angle + seed) + 0.06 * math.sin(5 * angle + 2.1 * seed)
        points.append(
            (
                center[0] + width * wobble * math.cos(angle),
                center[1] + height * wobble * math.sin(angle),
            )
        )
    return smooth(points, 6)


def _route(sheet: Sheet, points: Sequence[Point], label_at: Point, label: str) -> None:
    """Draw a dashed route and its label."""
    sheet.line(smooth(points), palette.CORAL, 2.0, dashes="[5 4] 0")
    sheet.text(label_at, label, _NOTE.sized(12.5).inked(palette.INK), align="center")


def _targets(sheet: Sheet) -> None:
    """Set the four targets as large figures."""
    _frame(sheet, 3, "Targets for 2030", "Four numbers to hold us to")
    width = 196.0
    gap = (_RIGHT - _LEFT - 4 * width) / 3
    for index, (number, text, before, color) in enumerate(_TARGETS):
        x = _LEFT + index * (width + gap)
        sheet.rect((x, 160, x + width, 430), palette.WHITE, stroke=palette.RULE, radius_pt=6)
        sheet.rect((x + 22, 186, x + 62, 190), color)
        sheet.text((x + 20, 274), number, Style("tiro", 58, 60, palette.NAVY))
        y = sheet.paragraph((x + 22, 312), width - 40, text, _BODY.sized(16))
        sheet.paragraph((x + 22, max(y, 356) + 22), width - 36, before, _NOTE.sized(12.5))


def _money(sheet: Sheet) -> None:
    """Draw the donut of planned investment with its legend."""
    total = facts.INVESTMENT_TOTAL_M
    _frame(sheet, 4, "Where the money goes", f"€{total:.0f} million in five years")
    colors = (palette.NAVY, palette.TEAL, palette.CORAL, palette.GOLD)
    parts = list(zip(facts.INVESTMENT_PLAN_M, colors, strict=True))
    center = (_LEFT + 160, 308)
    charts.donut(sheet, center, (92, 156), [(amount, color) for (_, amount), color in parts])
    sheet.text((center[0], 312), f"€{total:.1f}m", Style("tiro", 42, 44, palette.NAVY), align="center")
    sheet.text((center[0], 335), "2026 to 2030", _NOTE, align="center")
    left, y = 450.0, 196.0
    for (name, amount), color in parts:
        sheet.rect((left, y - 13, left + 15, y + 2), color, radius_pt=2)
        sheet.text((left + 30, y), name, _STRONG.sized(17))
        sheet.text((_RIGHT - 92, y), f"€{amount:.1f}m", _BODY.sized(17), align="right")
        sheet.text((_RIGHT, y), f"{100 * amount / total:.0f}%", _NOTE.sized(15), align="right")
        sheet.line([(left, y + 19), (_RIGHT, y + 19)], palette.RULE, 0.7)
        y += 48
    text = (
        "Half comes from our own cash, a third from the Islands Development Fund, and the rest "
        "from bank loans. No fare rises above inflation are planned."
    )
    sheet.paragraph((left, y + 20), _RIGHT - left, text, _BODY.sized(14))


def _charging(sheet: Sheet) -> None:
    """Draw the five steps of a charge as linked circles."""
    _frame(sheet, 5, "How a boat charges", "Eleven minutes at the berth")
    pitch = (_RIGHT - _LEFT) / len(_STEPS)
    y = 232.0
    for index, (name, text) in enumerate(_STEPS):
        x = _LEFT + pitch * (index + 0.5)
        if index:
            _arrow(sheet, (x - pitch + 50, y), (x - 50, y))
        is_charge = name == "Charge"
        fill = palette.CORAL if is_charge else palette.TEAL
        if is_charge:
            sheet.circle((x, y), 53, fill, opacity=0.16)
        sheet.circle((x, y), 42, fill)
        number = Style("tiro", 36, 36, palette.WHITE)
        sheet.text((x, y + 12), str(index + 1), number, align="center")
        sheet.text((x, y + 84), name, _STRONG.sized(18), align="center")
        _centered(sheet, (x, y + 110), pitch - 24, text, _BODY.sized(13))
    bar = (_LEFT, 424.0, _RIGHT, 466.0)
    sheet.rect(bar, palette.MIST, radius_pt=5)
    text = "A boat lies at the berth for 16 minutes, so the timetable need not wait for the charger."
    sheet.text((480, 450), text, _BODY.sized(14.5).inked(palette.NAVY), align="center")


def _arrow(sheet: Sheet, start: Point, end: Point) -> None:
    """Draw an arrow pointing right."""
    sheet.line([start, (end[0] - 5, end[1])], palette.SLATE, 1.4)
    x, y = end
    sheet.polygon([(x, y), (x - 9, y - 5), (x - 9, y + 5)], palette.SLATE)


def _centered(sheet: Sheet, at: Point, width: float, text: str, style: Style) -> None:
    """Set text in centred lines no wider than width."""
    y = at[1]
    for line in sheet.wrap(text, width, style):
        sheet.text((at[0], y), line, style, align="center")
        y += style.leading_pt


def _survey(sheet: Sheet) -> None:
    """Draw the answers of the passenger survey and the promise made in return."""
    _frame(sheet, 6, "What passengers asked for", "A later boat home")
    charts.level_bars(
        sheet,
        (_LEFT, 156, 530, 466),
        _SURVEY,
        label=_BODY.sized(14),
        value=_STRONG.sized(14),
    )
    sheet.rect((580, 156, _RIGHT, 452), palette.NAVY, radius_pt=6)
    quote = "“I want to stay for the last song, not leave before the first.”"
    style = Style("tiit", 25, 33, palette.WHITE)
    y = sheet.paragraph((608, 206), 262, quote, style)
    sheet.text((608, y + 2), "Passenger, Skerrin, August 2025", _NOTE.inked(palette.SKY))
    sheet.line([(608, y + 28), (656, y + 28)], palette.GOLD, 2)
    text = "From May 2026 the last boat to Skerrin leaves 50 minutes later."
    sheet.paragraph((608, y + 58), 262, text, _BODY.inked(palette.WHITE))
    caption = "1,240 answers, collected on board in August 2025, one choice each"
    sheet.text((_LEFT, 474), caption, _NOTE)


def _timeline(sheet: Sheet) -> None:
    """Draw the five years as points on a line."""
    _frame(sheet, 7, "Timeline", "One step each year", dark=True)
    pitch = (_RIGHT - _LEFT) / len(_TIMELINE)
    y = 290.0
    sheet.line([(_LEFT, y), (_RIGHT, y)], palette.TEAL, 3)
    for index, (year, name, text) in enumerate(_TIMELINE):
        x = _LEFT + pitch * index
        last = index == len(_TIMELINE) - 1
        color: Color = palette.CORAL if last else palette.SKY
        sheet.circle((x + 9, y), 9, palette.NAVY, stroke=color, width=3.4)
        if last:
            sheet.circle((x + 9, y), 4, color)
        sheet.text((x, y - 36), year, Style("tiro", 42, 44, palette.WHITE))
        sheet.text((x, y + 46), name, _STRONG.sized(16).inked(palette.WHITE))
        sheet.paragraph((x, y + 70), pitch - 22, text, _BODY.sized(13).inked(palette.SKY))
