"""Make the annual report: its frame, cover, letter, key figures and revenue pages."""

from __future__ import annotations

from pathlib import Path

from examples import art, charts, facts, palette, raster, report_back
from examples.canvas import Booklet, Sheet, smooth, text_width
from examples.palette import Style, hex_color, mix
from examples.report_frame import LEFT, PAGE_SIZE, RIGHT, opening
from examples.table import Column, Row, Table

__all__ = ["make_report"]

_LETTER_LEFT = 203.0
_LETTER = (
    "Dear members,",
    (
        "For a hundred and four years the sound of a boat coming in has been the sound of a diesel "
        "engine slowing down. In March 2025 MV Turnstone made her first crossing to Skerrin on "
        "batteries alone, and the people on the pier did not look up. They had not heard her."
    ),
    (
        "That silence was the year’s best news, and it was not the only good news. We carried "
        "**864,000 passengers,** more than in any year since the co-operative was founded in 1921. "
        "Revenue grew by almost a tenth. The fuel bill fell even though we sailed more often, and "
        "213 sailings were cancelled, against 341 the year before."
    ),
    (
        "Not everything went well. The lift at Otterhaven was out of order for eleven weeks, which is "
        "ten weeks too long for anyone who cannot use the stairs. We have apologised to those who "
        "wrote to us, and a second lift has been ordered."
    ),
    (
        "The board proposes to return **€90 to each member** and to keep the rest of the profit for "
        "the next boat. Her name will be Sandpiper; the children of Whinsay school chose it."
    ),
    (
        "Thank you for travelling with us, for complaining when we deserved it, and for the cake at "
        "the pier in March."
    ),
)
_HIGHLIGHTS = (
    ("864,000", "passengers carried, 6.7% more than in 2024"),
    ("94.2%", "of sailings left within five minutes of the timetable"),
    ("38%", "of sailings made on battery power"),
)


def make_report(path: Path) -> None:
    """Write the eight-page annual report."""
    booklet = Booklet(*PAGE_SIZE, f"Annual report 2025 – {facts.COMPANY}", facts.COMPANY)
    _cover(booklet.add_sheet())
    _letter(booklet.add_sheet())
    _key_figures(booklet.add_sheet())
    _revenue(booklet.add_sheet())
    report_back.statements(booklet.add_sheet())
    report_back.risks(booklet.add_sheet())
    report_back.people_and_sea(booklet.add_sheet())
    report_back.notes(booklet.add_sheet())
    titles = (
        "Cover",
        "Letter from the chair",
        "The year in figures",
        "Where the money came from",
        "Financial statements",
        "Risks",
        "People and sea",
        "Notes",
    )
    booklet.save(path, contents=[(title, number) for number, title in enumerate(titles, 1)])


def _cover(sheet: Sheet) -> None:
    """Draw the cover."""
    width, height = PAGE_SIZE
    art.seascape(sheet, (0, 0, width, height), horizon=560, seed=3)
    art.draw_ferry(sheet, (150, 606), 1.55, art.DAY_FERRY)
    for offset, length in ((0, 190), (7, 130), (14, 70)):
        sheet.line([(140 - offset, 611 + offset), (140 + length, 611 + offset)], palette.SKY, 1.0)
    art.draw_mark(sheet, (LEFT + 15, 78), 15, palette.WHITE, hex_color("2F6C7B"))
    name = Style("hebo", 10.5, 14, palette.WHITE)
    sheet.text((LEFT + 40, 75), "Tarrow Isles", name)
    sheet.text((LEFT + 40, 88), "Ferry Co-operative", Style("helv", 10.5, 14, palette.WHITE))
    title = Style("tiro", 66, 66, palette.WHITE)
    sheet.text((LEFT - 3, 212), "Annual", title)
    sheet.text((LEFT - 3, 274), "Report", title)
    sheet.line([(LEFT, 300), (LEFT + 48, 300)], palette.WHITE, 1.6)
    sheet.text((LEFT, 330), "The year the crossing went quiet", Style("tiit", 19, 24, palette.WHITE))
    sheet.text((RIGHT, 788), "2025", Style("tiro", 46, 46, palette.WHITE), align="right")
    sheet.text((LEFT, 788), "Owned by its 4,812 members", name.inked(palette.SKY))


def _letter(sheet: Sheet) -> None:
    """Set the chair's letter beside a column of highlights."""
    opening(sheet, 2, "Letter from the chair", ("They had not heard her",))
    y = 178.0
    for index, paragraph in enumerate(_LETTER):
        style = palette.LEAD.inked(palette.NAVY) if index == 0 else palette.BODY.sized(10.6)
        y = sheet.paragraph((_LETTER_LEFT, y), RIGHT - _LETTER_LEFT, paragraph, style)
        y += 11 if index else 5
    _signature(sheet, _LETTER_LEFT, y + 22)
    sheet.text((_LETTER_LEFT, y + 58), facts.CHAIR, palette.CELL_BOLD)
    sheet.text((_LETTER_LEFT, y + 71), f"Chair, {facts.COMPANY}", palette.SMALL)
    sheet.text((_LETTER_LEFT, y + 82), "Port Averil, 12 March 2026", palette.SMALL)
    _highlights(sheet, 176)
    _horizon(sheet)


def _horizon(sheet: Sheet) -> None:
    """Draw pale islands and the ferry standing on the page's foot rule."""
    for seed, top, share in ((40, 700, 0.35), (43, 738, 0.75)):
        hills = art.ridge((LEFT, top, RIGHT, 798), seed, 0.6)
        sheet.polygon(hills, mix(palette.PAPER, palette.MIST, share + 0.25))
    art.draw_ferry(sheet, (LEFT + 318, 796.6), 0.62, art.DAY_FERRY)


def _signature(sheet: Sheet, x: float, y: float) -> None:
    """Draw the chair's signature as a pen stroke."""
    stroke = smooth(
        [
            (x, y + 14), (x + 10, y - 14), (x + 15, y + 12), (x + 25, y - 15), (x + 29, y + 13),
            (x + 37, y + 2), (x + 44, y + 10), (x + 51, y + 3), (x + 58, y + 11), (x + 66, y + 2),
            (x + 71, y + 11), (x + 90, y - 18), (x + 86, y + 15), (x + 104, y + 1),
            (x + 108, y + 11), (x + 118, y - 15), (x + 120, y + 12), (x + 132, y + 4),
            (x + 160, y + 1),
        ]
    )  # fmt: skip
    sheet.line(stroke, palette.TEAL, 1.3)


def _highlights(sheet: Sheet, top: float) -> None:
    """Set three large figures in the left column, a hairline above each."""
    y = top
    for number, text in _HIGHLIGHTS:
        sheet.line([(LEFT, y - 10), (LEFT + 108, y - 10)], palette.CORAL, 1.2)
        sheet.text((LEFT - 1, y + 24), number, palette.FIGURE.sized(30))
        y = sheet.paragraph((LEFT, y + 40), 104, text, palette.SMALL) + 32


def _key_figures(sheet: Sheet) -> None:
    """Set four tiles and the five-line tables of traffic and key figures."""
    opening(sheet, 3, "The year in figures", ("More people, more freight,", "far less fuel"))
    _tiles(sheet, 190)
    sheet.text((LEFT, 330), "Passengers by route, thousand", palette.HEADING)
    routes = [_change_row(item) for item in facts.PASSENGERS_BY_ROUTE_K]
    routes.append(_change_row(facts.Change("All routes", 864, 810), is_total=True))
    y = Table(_columns("Route"), routes, highlight=1).draw(sheet, (LEFT, 354))
    sheet.text((LEFT, y + 44), "Key figures", palette.HEADING)
    rows = (
        Row(("Revenue, € thousand", "20,600", "18,740", "+9.9%")),
        Row(("Operating profit, € thousand", "2,420", "1,330", "+82.0%")),
        Row(("Cars and vans carried", "182,400", "176,900", "+3.1%")),
        Row(("Freight, tonnes", "61,300", "54,800", "+11.9%")),
        Row(("Sailings", "9,860", "9,410", "+4.8%")),
        Row(("Cancelled sailings", "213", "341", "–37.5%")),
        Row(("Left within five minutes of the timetable", "94.2%", "92.6%", "")),
        Row(("Marine gas oil, thousand litres", "2,050", "2,480", "–17.3%")),
        Row(("Members at year end", "4,812", "4,655", "+3.4%")),
    )
    y = Table(_columns("Measure"), rows, highlight=1).draw(sheet, (LEFT, y + 68))
    note = (
        "A passenger is counted once for each crossing. Children under four travel free and are "
        "included. Traffic of the night freight boat is limited to twelve passengers a sailing."
    )
    sheet.paragraph((LEFT, y + 20), RIGHT - LEFT, note, palette.SMALL)


def _columns(first: str) -> tuple[Column, ...]:
    """Return the four columns of a comparison with last year."""
    return (
        Column(first, RIGHT - LEFT - 216, "left"),
        Column("2025", 72),
        Column("2024", 72),
        Column("Change", 72),
    )


def _change_row(item: facts.Change, *, is_total: bool = False) -> Row:
    """Return a comparison as a table row."""
    sign = "+" if item.percent > 0 else "–" if item.percent < 0 else ""
    cells = (
        item.label,
        facts.thousands(item.now),
        facts.thousands(item.before),
        f"{sign}{abs(item.percent):.1f}%",
    )
    return Row(cells, is_total)


def _tiles(sheet: Sheet, top: float) -> None:
    """Draw four tiles, each a figure over its caption."""
    tiles = (
        ("€20.6m", "revenue", palette.NAVY),
        ("€2.4m", "operating profit", palette.TEAL),
        ("864k", "passengers", palette.CORAL),
        ("–22%", "carbon per passenger", palette.GOLD),
    )
    gap = 11.0
    width = (RIGHT - LEFT - 3 * gap) / 4
    for index, (number, caption, color) in enumerate(tiles):
        x = LEFT + index * (width + gap)
        sheet.rect((x, top, x + width, top + 92), color, radius_pt=4)
        ink = palette.NAVY if color == palette.GOLD else palette.WHITE
        sheet.text((x + 13, top + 50), number, palette.FIGURE.sized(27).inked(ink))
        sheet.text((x + 13, top + 71), caption, Style("helv", 8.4, 11, ink))


def _revenue(sheet: Sheet) -> None:
    """Draw revenue by segment as vectors and passengers by month as a picture."""
    opening(sheet, 4, "Where the money came from", ("Every segment grew",))
    text = (
        "Tickets for people on foot remain our largest source of income. **Freight grew fastest,** "
        "by 14.8%, after the fish market at Skerrin began to send its evening catch with the night "
        "boat. The café earned more than a million and a half for the first time."
    )
    sheet.paragraph((LEFT, 176), RIGHT - LEFT - 40, text, palette.BODY)
    sheet.text((LEFT, 246), "Revenue by segment, € thousand", palette.HEADING)
    colors = (palette.NAVY, palette.TEAL, palette.SKY, palette.GOLD)
    entries = zip(facts.REVENUE_BY_SEGMENT.items(), colors, strict=True)
    series = [(name, values, color) for (name, values), color in entries]
    x = LEFT
    for name, _, color in series:
        sheet.rect((x, 257, x + 8, 265), color, radius_pt=1.5)
        style = palette.SMALL.sized(8)
        sheet.text((x + 13, 264), name, style)
        x += text_width(name, style) + 32
    axis = charts.Axis((LEFT + 36, 286, RIGHT, 470), 22000, 5000)
    charts.stacked_bars(sheet, axis, [str(year) for year in facts.YEARS], series)
    sheet.text((LEFT, 522), "When people travelled", palette.HEADING)
    width = RIGHT - LEFT
    sheet.image((LEFT, 534, RIGHT, 534 + width * raster.MONTHS_RATIO), raster.monthly_passengers())
