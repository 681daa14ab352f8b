"""
Every number and name the example documents share.

Totals are computed here, never typed, so that tables add up and two documents cannot disagree.
Money is in thousands of euros unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

COMPANY = "Tarrow Isles Ferry Co-operative"
SHORT_NAME = "Tarrow Isles Ferries"
CHAIR = "Maren Holloway"
MANAGING_DIRECTOR = "Tobias Quill"
HARBOUR_MASTER = "Edda Strand"
FOUNDED_YEAR = 1921

YEARS = (2021, 2022, 2023, 2024, 2025)
REVENUE_BY_SEGMENT = {
    "Passengers": (6010, 7480, 8230, 8760, 9640),
    "Vehicles": (4210, 4890, 5340, 5610, 5980),
    "Freight": (2350, 2540, 2710, 2980, 3420),
    "Café and shop": (830, 1050, 1240, 1390, 1560),
}
CARBON_KG_PER_PASSENGER = (11.9, 10.6, 9.4, 8.2, 6.4)

MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec",
)  # fmt: skip
PASSENGERS_BY_MONTH_K = (38, 41, 52, 66, 81, 97, 128, 134, 88, 59, 41, 39)


@dataclass(frozen=True)
class Change:
    """One figure in 2025 and the year before."""

    label: str
    now: float
    before: float

    @property
    def percent(self) -> float:
        """Change from the year before, in percent."""
        return 100 * (self.now / self.before - 1)


PASSENGERS_BY_ROUTE_K = (
    Change("Port Averil – Skerrin", 486, 452),
    Change("Port Averil – Otterhaven", 271, 258),
    Change("Skerrin – Whinsay", 98, 91),
    Change("Night freight boat", 9, 9),
)
OPERATING_COSTS = (
    Change("Crew and shore staff", 8240, 7760),
    Change("Fuel and electricity", 2690, 3150),
    Change("Maintenance and dry dock", 2315, 2180),
    Change("Depreciation", 2120, 1690),
    Change("Insurance and administration", 1745, 1620),
    Change("Harbour dues", 1480, 1395),
)
OTHER_INCOME = Change("Other operating income", 410, 385)
FINANCE_COSTS = Change("Net finance costs", 385, 310)
TAX = Change("Income tax", 448, 224)
ASSETS = (
    Change("Vessels and equipment", 31850, 30120),
    Change("Terminals and piers", 8640, 8910),
    Change("Stores and spare parts", 520, 495),
    Change("Receivables", 1380, 1265),
    Change("Cash", 4610, 3905),
)
MEMBERS = Change("Members", 4812, 4655)
MEMBER_SHARE_EUR = 2000
BONUS_EUR_PER_MEMBER = 90
EQUITY_AND_DEBT = (
    Change("Members’ capital", 9624, 9310),
    Change("Retained earnings", 14641, 13240),
    Change("Bank and development loans", 16400, 16100),
    Change("Payables", 3890, 3725),
    Change("Tickets sold in advance", 2445, 2320),
)
STAFF = (
    Change("Deck and bridge", 61, 60),
    Change("Engineers and electricians", 29, 26),
    Change("Café and passenger care", 27, 27),
    Change("Terminals and ticketing", 22, 21),
    Change("Office", 9, 9),
)
INVESTMENT_PLAN_M = (
    ("Vessels", 21.5),
    ("Shore charging", 7.2),
    ("Piers and terminals", 5.8),
    ("Ticketing and signs", 3.5),
)


@dataclass(frozen=True)
class Fare:
    """Prices in euros of a single journey from Port Averil, and its first and last boat."""

    destination: str
    adult: float
    child: float
    bicycle: float
    car_with_driver: float
    first_boat: str
    last_boat: str
    berth: int


FARES = (
    Fare("Skerrin", 8.40, 4.20, 2.50, 27.50, "06:10", "22:35", 1),
    Fare("Otterhaven", 6.20, 3.10, 2.50, 21.00, "06:45", "21:50", 2),
    Fare("Whinsay", 11.60, 5.80, 3.50, 34.80, "07:20", "19:15", 1),
)


@dataclass(frozen=True)
class Watch:
    """One deck watch of the field notes."""

    date: str
    vessel: str
    route: str
    porpoises: int
    gannets: int


WATCHES = (
    Watch("4 June", "Turnstone", "Port Averil – Skerrin", 14, 62),
    Watch("5 June", "Kittiwake", "Port Averil – Skerrin", 5, 58),
    Watch("11 June", "Turnstone", "Port Averil – Skerrin", 19, 71),
    Watch("12 June", "Dunlin", "Port Averil – Otterhaven", 3, 40),
    Watch("18 June", "Turnstone", "Port Averil – Otterhaven", 11, 44),
    Watch("19 June", "Kittiwake", "Port Averil – Skerrin", 6, 66),
)
DREDGING_COST_EUR = 186_000
DREDGING_SHARE_EUR = DREDGING_COST_EUR // 3
LEAST_DEPTH_M = 3.4


def added(label: str, lines: tuple[Change, ...]) -> Change:
    """Return the sum of several lines under a new label."""
    return Change(label, sum(line.now for line in lines), sum(line.before for line in lines))


def less(label: str, first: Change, second: Change) -> Change:
    """Return first minus second under a new label."""
    return Change(label, first.now - second.now, first.before - second.before)


REVENUE_BY_YEAR = tuple(
    sum(values[index] for values in REVENUE_BY_SEGMENT.values()) for index in range(len(YEARS))
)
REVENUE = Change("Revenue", REVENUE_BY_YEAR[-1], REVENUE_BY_YEAR[-2])
TOTAL_INCOME = added("Total income", (REVENUE, OTHER_INCOME))
TOTAL_COSTS = added("Total operating costs", OPERATING_COSTS)
OPERATING_PROFIT = less("Operating profit", TOTAL_INCOME, TOTAL_COSTS)
PROFIT_BEFORE_TAX = less("Profit before tax", OPERATING_PROFIT, FINANCE_COSTS)
PROFIT = less("Profit for the year", PROFIT_BEFORE_TAX, TAX)
PASSENGERS_K = added("Passengers, thousand", PASSENGERS_BY_ROUTE_K)
TOTAL_ASSETS = added("Total assets", ASSETS)
TOTAL_EQUITY_AND_DEBT = added("Total equity and liabilities", EQUITY_AND_DEBT)
TOTAL_STAFF = added("Total", STAFF)
INVESTMENT_TOTAL_M = round(sum(amount for _, amount in INVESTMENT_PLAN_M), 1)


def check_consistency() -> None:
    """
    Refuse to draw documents whose figures disagree.

    Raises:
        ValueError: two figures that must be equal are not.
    """
    pairs = {
        "balance sheet 2025": (TOTAL_ASSETS.now, TOTAL_EQUITY_AND_DEBT.now),
        "balance sheet 2024": (TOTAL_ASSETS.before, TOTAL_EQUITY_AND_DEBT.before),
        "members' capital": (MEMBERS.now * MEMBER_SHARE_EUR / 1000, EQUITY_AND_DEBT[0].now),
        "passengers": (PASSENGERS_K.now, sum(PASSENGERS_BY_MONTH_K)),
    }
    for name, (left, right) in pairs.items():
        if left != right:
            raise ValueError(f"{name}: {left} is not {right}; correct facts.py")


def thousands(value: float) -> str:
    """Return a whole number with commas between thousands."""
    return f"{value:,.0f}"
