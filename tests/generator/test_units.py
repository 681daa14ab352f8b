"""What can be quoted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ragvl.generator.units import units_of
from ragvl.types import BlockKind, Document, DocumentStatus, Hit, Page, Passage, TextSource


def _hit(text: str, kind: BlockKind, heading: str = "") -> Hit:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    document = Document(1, "a.pdf", "0" * 64, "application/pdf", "", 1, 1, when, DocumentStatus.OK)
    page = Page(1, document, 1, 595, 842, text, TextSource.LAYER)
    return Hit(page, 1.0, (), (Passage(1, 1, kind, heading, text, 0, len(text), ()),))


def _said(hit: Hit) -> list[str]:
    return [" ".join(unit.text.split()) for unit in units_of(hit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The boat left early. It came back late.", ["The boat left early.", "It came back late."]),
        ("Repairs by Dr. Brandt took a week. All paid.", ["Repairs by Dr. Brandt took a week.", "All paid."]),
        ("It cost 3.5 million euros in the end.", ["It cost 3.5 million euros in the end."]),
        (
            "A sentence that runs\nover two lines. Another one here.",
            ["A sentence that runs over two lines.", "Another one here."],
        ),
        (
            "A heading of some words\n\nThen a paragraph follows.",
            ["A heading of some words", "Then a paragraph follows."],
        ),
    ],
)
def test_text_is_cut_into_sentences(text: str, expected: list[str]) -> None:
    """Abbreviations and decimals end no sentence; line ends do not either, empty lines do."""
    assert _said(_hit(text, BlockKind.TEXT)) == expected


def test_a_table_is_cut_into_rows_under_their_header() -> None:
    """A row is quoted alone, but judged with the names of its columns."""
    units = units_of(
        _hit("EUR thousand 2025 2024\nRevenue of all lines 20,600 18,740", BlockKind.TABLE, "Results")
    )
    assert [unit.text for unit in units] == ["EUR thousand 2025 2024", "Revenue of all lines 20,600 18,740"]
    assert units[1].columns == "EUR thousand 2025 2024"
    assert units[1].in_place == "Results\nEUR thousand 2025 2024\nRevenue of all lines 20,600 18,740"


def test_the_short_lines_of_a_figure_are_joined() -> None:
    """Axis labels and values say something only together."""
    assert _said(_hit("Jan\n12\nFeb\n14\nMar\n19", BlockKind.FIGURE)) == ["Jan 12 Feb 14 Mar 19"]


def test_units_are_the_words_of_the_page() -> None:
    """Every unit is exactly a slice of the page's text, and no word is lost."""
    text = "One. Two. Three is a longer sentence.\n\nAnd four (4) too! Fine."
    units = units_of(_hit(text, BlockKind.TEXT))
    assert all(text[unit.start : unit.end] == unit.text for unit in units)
    assert " ".join(unit.text for unit in units).split() == text.split()
