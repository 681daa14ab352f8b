"""Make the questions a person might ask of the example documents, with their answers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from examples import facts

__all__ = ["make_questions"]

Evidence = Literal["text", "table", "chart", "scan", "image", "none"]
_REPORT = "annual-report-2025.pdf"
_SLIDES = "strategy-slides.pdf"
_LETTER = "scanned-letter.pdf"
_PHOTOGRAPHS = "photographs.pdf"
_TARIFF = "tariff-board.png"
_NOTES = "field-notes.md"


@dataclass(frozen=True)
class Question:
    """A question, its answer, and the page and kind of evidence that holds it."""

    question: str
    answer: str
    document: str | None
    page: int | None
    evidence: Evidence


def make_questions(path: Path) -> None:
    """Write one question per line as JSON."""
    lines = [json.dumps(asdict(question), ensure_ascii=False) for question in _questions()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _questions() -> tuple[Question, ...]:
    """Return the questions, easy ones first, the two without an answer last."""
    return (*_from_text(), *_from_pictures(), *_without_answer())


def _from_text() -> tuple[Question, ...]:
    """Return the questions whose answer is in a text layer."""
    profit = facts.thousands(facts.OPERATING_PROFIT.now)
    freight = facts.thousands(facts.REVENUE_BY_SEGMENT["Freight"][-1])
    charging = dict(facts.INVESTMENT_PLAN_M)["Shore charging"]
    quiet = sum(watch.porpoises for watch in facts.WATCHES if watch.vessel == "Turnstone")
    return (
        Question(
            "How much does each member get back this year?",
            "€90",
            _REPORT,
            2,
            "text",
        ),
        Question(
            "What was the operating profit in 2025?",
            f"€{profit} thousand, about €2.4 million",
            _REPORT,
            5,
            "table",
        ),
        Question(
            "How much money did freight bring in last year?",
            f"€{freight} thousand",
            _REPORT,
            4,
            "chart",
        ),
        Question(
            "What will the new ferry Sandpiper cost, and how much has already been paid?",
            "€11.4 million, of which €2.3 million is paid",
            _REPORT,
            8,
            "text",
        ),
        Question(
            "Of the planned 38 million, how much goes into shore charging?",
            f"€{charging} million, 19%",
            _SLIDES,
            4,
            "chart",
        ),
        Question(
            "How long does a ferry need to charge at the berth?",
            "11 minutes",
            _SLIDES,
            5,
            "text",
        ),
        Question(
            "How far is it from Skerrin to Whinsay by boat?",
            "12.8 nautical miles, 50 minutes",
            _SLIDES,
            2,
            "chart",
        ),
        Question(
            "How tall is the lighthouse at Skerrin, and when was it built?",
            "31 metres, built in 1874",
            _PHOTOGRAPHS,
            1,
            "text",
        ),
        Question(
            "How many porpoises were seen from Turnstone in June?",
            str(quiet),
            _NOTES,
            1,
            "table",
        ),
    )


def _from_pictures() -> tuple[Question, ...]:
    """Return the questions that need OCR."""
    august = facts.PASSENGERS_BY_MONTH_K[facts.MONTHS.index("Aug")]
    skerrin, _, whinsay = facts.FARES
    return (
        Question(
            "How many people took the boat in August 2025?",
            f"{august} thousand",
            _REPORT,
            4,
            "chart",
        ),
        Question(
            "Why can’t Kittiwake use Berth 2 at Otterhaven around low water?",
            f"The least depth is {facts.LEAST_DEPTH_M} metres and she draws 3.1, which leaves less "
            "than the half metre required under the keel",
            _LETTER,
            1,
            "scan",
        ),
        Question(
            "What is our share of the dredging bill?",
            f"EUR {facts.DREDGING_SHARE_EUR:,}, one third of EUR {facts.DREDGING_COST_EUR:,}",
            _LETTER,
            1,
            "scan",
        ),
        Question(
            "What do I pay to take my car to Whinsay?",
            f"EUR {whinsay.car_with_driver:.2f} with the driver",
            _TARIFF,
            1,
            "image",
        ),
        Question(
            "When does the last boat to Skerrin leave in summer?",
            skerrin.last_boat,
            _TARIFF,
            1,
            "image",
        ),
    )


def _without_answer() -> tuple[Question, ...]:
    """Return the questions these documents cannot answer."""
    missing = "The documents do not say."
    return (
        Question("Who built the batteries of MV Turnstone?", missing, None, None, "none"),
        Question("What was the profit for the year in 2019?", missing, None, None, "none"),
    )
