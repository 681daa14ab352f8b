"""The back half of the annual report: statements, risks, people and sea, notes."""

from __future__ import annotations

from examples import charts, facts, palette
from examples.canvas import Sheet
from examples.facts import Change
from examples.palette import Style
from examples.report_frame import LEFT, RIGHT, opening
from examples.table import Column, Row, Table

__all__ = ["notes", "people_and_sea", "risks", "statements"]

_MIDDLE = 309.0
_COLUMN = 224.0
_RISKS = (
    (
        "Weather and storms",
        4,
        3,
        (
            "Westerly gales closed the Whinsay crossing on nineteen days. Forecasts now trigger a "
            "warning to passengers 36 hours ahead."
        ),
    ),
    (
        "Price of electricity",
        3,
        3,
        (
            "Two thirds of next year’s power is bought at a fixed price of 11.8 cents per kilowatt-"
            "hour. A rise of ten per cent in the rest would cost about €9,500."
        ),
    ),
    (
        "Shallow berths",
        3,
        4,
        (
            "Sand has settled at Otterhaven since the autumn. A new survey was ordered in "
            "December; the harbour master decides which vessels may use Berth 2."
        ),
    ),
    (
        "One charger, one port",
        2,
        4,
        (
            "All shore charging is at Port Averil. Until a second charger opens at Skerrin in 2026, a "
            "fault there would return Turnstone to the quay."
        ),
    ),
    (
        "Cyber attack on ticketing",
        2,
        3,
        (
            "Paper tickets for three days are kept at each pier, and the crews practise with them "
            "twice a year."
        ),
    ),
)
_NOTES = (
    (
        "1  Basis",
        (
            "The statements are in thousands of euros and were drawn up by the board on 12 March "
            "2026. Income is counted on the day of travel; tickets sold for later dates are a debt."
        ),
    ),
    (
        "2  Fuel and electricity",
        (
            "The fleet burned 2.05 million litres of marine gas oil (2024: 2.48 million) at an average "
            "of €1.17 a litre, and drew 2.4 gigawatt-hours from the shore."
        ),
    ),
    (
        "3  Vessels",
        (
            "Hulls are written off over 25 years and batteries over ten. Four vessels were in service "
            "at the year end: Kittiwake (320 passengers), Turnstone (240), Dunlin (180) and Eider "
            "(12, freight)."
        ),
    ),
    (
        "4  Loans",
        (
            "The Islands Development Fund lent €9.0 million for Turnstone at 2.1%, repayable in equal "
            "parts until 2038. Bank loans of €7.4 million make up the rest."
        ),
    ),
    (
        "5  Commitments",
        (
            "MV Sandpiper is on order for €11.4 million, of which €2.3 million was paid before the "
            "year end. Delivery is due in April 2027."
        ),
    ),
    (
        "6  Members’ capital",
        (
            "Each of the 4,812 members holds one share of €2,000. The proposed bonus of €90 each comes "
            "to €433,080 and is not yet booked."
        ),
    ),
    (
        "7  Pay",
        (
            "The managing director earned €98,500. The ratio of the highest to the lowest full-time "
            "pay was 3.1 to one."
        ),
    ),
    (
        "8  After the year end",
        (
            "On 14 January 2026 a storm damaged the linkspan at Whinsay. Repairs will cost about "
            "€240,000; insurance pays all but €35,000."
        ),
    ),
)


def statements(sheet: Sheet) -> None:
    """Set the income statement and the balance sheet; the page does not name the company."""
    opening(sheet, 5, "Financial statements", ("Income statement and balance sheet",))
    columns = (
        Column("€ thousand", RIGHT - LEFT - 156, "left"),
        Column("2025", 78),
        Column("2024", 78),
    )
    sheet.text((LEFT, 170), "Income statement, year to 31 December", palette.HEADING)
    income = [_row(facts.REVENUE), _row(facts.OTHER_INCOME), _total(facts.TOTAL_INCOME)]
    income += [_row(item, is_cost=True) for item in facts.OPERATING_COSTS]
    income += [_total(facts.OPERATING_PROFIT), _row(facts.FINANCE_COSTS, is_cost=True)]
    income += [_total(facts.PROFIT_BEFORE_TAX), _row(facts.TAX, is_cost=True)]
    income += [_total(facts.PROFIT)]
    y = Table(columns, income, row_height=16.4, highlight=1).draw(sheet, (LEFT, 192))
    sheet.text((LEFT, y + 36), "Balance sheet at 31 December", palette.HEADING)
    balance = [_row(item) for item in facts.ASSETS] + [_total(facts.TOTAL_ASSETS)]
    balance += [_row(item) for item in facts.EQUITY_AND_DEBT]
    balance += [_total(facts.TOTAL_EQUITY_AND_DEBT)]
    y = Table(columns, balance, row_height=16.4, highlight=1).draw(sheet, (LEFT, y + 58))
    text = "Costs are in parentheses. The notes on page 8 are part of these statements."
    sheet.text((LEFT, y + 18), text, palette.SMALL)


def _row(item: Change, *, is_cost: bool = False) -> Row:
    """Return a line of a statement, costs in parentheses."""
    shown = [facts.thousands(value) for value in (item.now, item.before)]
    if is_cost:
        shown = [f"({value})" for value in shown]
    return Row((item.label, *shown))


def _total(item: Change) -> Row:
    """Return a total line of a statement."""
    return Row((item.label, facts.thousands(item.now), facts.thousands(item.before)), True)


def risks(sheet: Sheet) -> None:
    """Set five risks, each with its likelihood and impact as five dots."""
    opening(sheet, 6, "Risks", ("What could keep us in port",))
    lead = (
        "The board reviews these risks four times a year. Dots show our own estimate, from one "
        "(low) to five (high)."
    )
    y = sheet.paragraph((LEFT, 170), 400, lead, palette.LEAD) + 18
    for name, likelihood, impact, text in _RISKS:
        sheet.line([(LEFT, y), (RIGHT, y)], palette.RULE, 0.6)
        sheet.text((LEFT, y + 24), name, palette.HEADING.sized(10.5))
        _dots(sheet, LEFT, y + 44, "Likelihood", likelihood, palette.TEAL)
        _dots(sheet, LEFT, y + 59, "Impact", impact, palette.CORAL)
        sheet.paragraph((LEFT + 176, y + 24), RIGHT - LEFT - 176, text, palette.BODY)
        y += 84
    sheet.line([(LEFT, y), (RIGHT, y)], palette.RULE, 0.6)
    _insurance(sheet, y + 28)


def _dots(sheet: Sheet, x: float, y: float, name: str, level: int, color: palette.Color) -> None:
    """Draw a level of one to five as filled and empty dots after its name."""
    sheet.text((x, y), name, palette.SMALL)
    for index in range(5):
        center = (x + 58 + index * 11, y - 2.6)
        if index < level:
            sheet.circle(center, 3.5, color)
        else:
            sheet.circle(center, 3.2, stroke=palette.RULE, width=0.8)
    sheet.text((x + 118, y), f"{level} of 5", palette.SMALL)


def _insurance(sheet: Sheet, top: float) -> None:
    """Set the panel about insurance."""
    sheet.rect((LEFT, top, RIGHT, top + 82), palette.MIST, radius_pt=4)
    sheet.text((LEFT + 18, top + 26), "Insurance", palette.HEADING)
    text = (
        "Hulls are insured for €41 million and liability to passengers for €60 million. The "
        "mutual insurer lowered our premium by 6% because no passenger was hurt on board in 2025."
    )
    sheet.paragraph((LEFT + 18, top + 45), RIGHT - LEFT - 60, text, palette.BODY)


def people_and_sea(sheet: Sheet) -> None:
    """Set staff numbers beside text and the chart of carbon per passenger."""
    opening(sheet, 7, "People and sea", ("148 people,", "one shared crew mess"))
    columns = (
        Column("Full-time posts", _COLUMN - 92, "left"),
        Column("2025", 46),
        Column("2024", 46),
    )
    rows = [_row(item) for item in facts.STAFF] + [_total(facts.TOTAL_STAFF)]
    Table(columns, rows, highlight=1).draw(sheet, (LEFT, 204))
    text = (
        "Nine apprentices started in September, **four of them women,** and all nine live on the "
        "islands. Days lost to sickness fell to 6.2 per person. The crews asked for rosters six "
        "weeks ahead; since May they have them."
    )
    y = sheet.paragraph((_MIDDLE, 204), _COLUMN, text, palette.BODY)
    more = (
        "The café buys 71% of its food from island growers, and stopped selling drinks in "
        "plastic bottles in June. Guillemots nest again on the old coal pier: 46 pairs, and not "
        "one of them minds the boats."
    )
    sheet.paragraph((_MIDDLE, y + 8), _COLUMN, more, palette.BODY)
    sheet.text((LEFT, 378), "Carbon per passenger, kilograms", palette.HEADING)
    axis = charts.Axis((LEFT + 20, 406, RIGHT, 590), 14, 2)
    items = list(zip(map(str, facts.YEARS), facts.CARBON_KG_PER_PASSENGER, strict=True))
    charts.line_chart(sheet, axis, items)
    _quote(sheet, 640)


def _quote(sheet: Sheet, top: float) -> None:
    """Set a crew member's words between a coral bar and the margin."""
    sheet.rect((LEFT, top, LEFT + 3, top + 88), palette.CORAL)
    words = (
        "“On the old boats you feel the engine in your teeth. On Turnstone I heard a "
        "porpoise breathe. I have worked at sea for twenty-two years and I had never heard that "
        "from the bridge.”"
    )
    y = sheet.paragraph((LEFT + 20, top + 17), 420, words, Style("tiit", 15, 21.5, palette.NAVY))
    sheet.text((LEFT + 20, y + 6), "Annike Borg, mate of MV Turnstone", palette.SMALL.sized(8.4))


def notes(sheet: Sheet) -> None:
    """Set the notes in two columns."""
    opening(sheet, 8, "Notes to the statements", ("The small print,", "in a readable size"))
    per_column = len(_NOTES) // 2
    for column in range(2):
        x = (LEFT, _MIDDLE)[column]
        y = 206.0
        for name, text in _NOTES[column * per_column : (column + 1) * per_column]:
            sheet.text((x, y), name, palette.HEADING.sized(10))
            y = sheet.paragraph((x, y + 16), _COLUMN, text, palette.BODY.sized(10)) + 22
    sheet.rect((LEFT, 690, RIGHT, 768), palette.NAVY, radius_pt=4)
    white = palette.BODY.inked(palette.WHITE)
    sheet.text((LEFT + 20, 716), facts.COMPANY, palette.HEADING.inked(palette.WHITE))
    address = "Harbour House, 3 Netmakers’ Row, Port Averil"
    sheet.text((LEFT + 20, 734), address, white)
    sheet.text((LEFT + 20, 750), "members@tarrow-isles.example", white)
    board = f"Chair: {facts.CHAIR}"
    sheet.text((RIGHT - 20, 734), board, white, align="right")
    director = f"Managing director: {facts.MANAGING_DIRECTOR}"
    sheet.text((RIGHT - 20, 750), director, white, align="right")
