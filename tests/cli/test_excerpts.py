"""Excerpts: the part of a passage that says most about a query."""

from __future__ import annotations

import pytest

from ragvl.cli.excerpts import excerpt, word_pattern

FILLER = "Nothing of interest stands here. " * 30


def test_short_text_is_whole() -> None:
    """A text that fits is not touched."""
    assert excerpt("Capital expenditure.", "capital", 100) == "Capital expenditure."


def test_excerpt_holds_the_words_of_the_query() -> None:
    """Of a long text the part with most different words of the query is cut out, at words."""
    text = f"{FILLER}The capital was small. {FILLER}Capital expenditures of 2018 rose. {FILLER}"
    cut = excerpt(text, "capital expenditure 2018", 120)
    assert "Capital expenditures of 2018 rose." in cut
    assert cut.startswith("… ")
    assert cut.endswith(" …")
    assert len(cut) <= 124


@pytest.mark.parametrize("query", ["", "of a", "absent"])
def test_without_a_match_the_beginning_is_shown(query: str) -> None:
    """A query that marks nothing shows how the passage begins."""
    assert excerpt(FILLER, query, 100).startswith("Nothing of interest")


def test_text_without_blanks_is_cut() -> None:
    """Even a text without a place to break is cut to length."""
    assert len(excerpt("x" * 5000, "query", 100)) == 102


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("expenditures", "Capital Expenditure rose", ["Expenditure"]),
        ("report", "reported, reporter, airport", ["reported", "reporter"]),
        ("6,779,511 in FY18", "6,779,511 of FY18", ["6,779,511", "FY18"]),
        ("what (about) [this.*", "what about anything", ["what", "about"]),
        ("müller", "Herr Müller kam", ["Müller"]),
    ],
)
def test_words_are_marked_with_other_endings(query: str, text: str, marked: list[str]) -> None:
    """Words of the query are found in any case and with other endings, numbers as they stand."""
    pattern = word_pattern(query)
    assert pattern is not None
    assert marked == [match.group() for match in pattern.finditer(text)]
