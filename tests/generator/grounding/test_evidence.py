"""A statement is verified when its page says it, and only then."""

from __future__ import annotations

import pytest

from ragvl.generator.grounding.evidence import find_evidence
from ragvl.types import Hit


@pytest.mark.parametrize(
    ("statement", "question", "quote"),
    [
        ("Capital expenditure was $1,577 million in 2018.", "What was capital expenditure in 2018?", "1,577"),
        ("It spent 1.577 billion on capital expenditure in 2018.", "Capital expenditure 2018?", "1,577"),
        ("Net sales were 31,657 million in 2017.", "What were the net sales of Otter in 2017?", "31,657"),
        ("The margin reached 12.5% in 2018.", "What was the margin?", "12.5%"),
        (
            "In 2018 Otter Ferries carried 1 204 500 passengers.".replace("1 204 500", "1,204,500"),
            "",
            "passengers",
        ),
        ("The fleet grew to 7 ships.", "How many ships are there?", "seven ships"),
        ("Ada Lindqvist is the chief executive.", "Who is the chief executive?", "Lindqvist"),
        ("The terminal was opened on 4 May 2018.", "When was the terminal opened?", "4 May 2018"),
        ("1,577", "What was capital expenditure?", "1,577"),
        ('It says "opened the terminal at Skerrin Bay".', "Where?", "Skerrin Bay"),
    ],
)
def test_what_the_page_says_is_verified(statement: str, question: str, quote: str, hit: Hit) -> None:
    """The citation quotes the place, and its regions lie on the page."""
    citation = find_evidence(statement, question, hit).citation
    assert citation.verified
    assert quote in citation.quote
    assert citation.regions


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("Capital expenditure was 1,588 million in 2018.", "1588"),
        ("Capital expenditure was 1,577 million in 2016.", "2016"),
        ("Capital expenditure was 1,577 billion in 2018, or 15.77 million.", "15.77"),
        ("The margin reached 13.5%.", "13.5%"),
        ("Bo Svensson opened the terminal.", "svensson"),
        ("The terminal is at Marrow Bay.", "marrow"),
        ('The report says "a record year for the whole company".', "a record year for the whole company"),
    ],
)
def test_what_the_page_does_not_say_is_named(statement: str, missing: str, hit: Hit) -> None:
    """A wrong amount, name or quote is found out, and said."""
    finding = find_evidence(statement, "What does the report say?", hit)
    assert not finding.citation.verified
    assert finding.citation.regions == ()
    assert missing in finding.missing


def test_words_alone_must_mostly_be_there(hit: Hit) -> None:
    """A statement without amounts and names needs its words."""
    assert find_evidence("The fleet grew.", "What happened to the fleet?", hit).citation.verified
    assert not find_evidence("The crew went on strike over wages.", "What happened?", hit).citation.verified
