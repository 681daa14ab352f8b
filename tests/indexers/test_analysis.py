"""Terms of documents and queries."""

from __future__ import annotations

import pytest

from ragvl.indexers.analysis import query_terms, stop_words, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FY2018", ["fy2018", "fy", "2018"]),
        ("10-K", ["10k", "10", "k"]),
        ("$6,779,511", ["6779511"]),
        ("18.29%", ["18d29"]),
        ("1.5M", ["1d5", "m"]),
        ("in the U.S. market", ["in", "the", "us", "market"]),
        ("東京", ["東", "京"]),
        ("ﬁnance", ["finance"]),
        ("", []),
    ],
)
def test_terms_keep_what_people_write(text: str, expected: list[str]) -> None:
    """Numbers, codes, abbreviations and unspaced scripts become the terms that a person would search for."""
    assert expected == terms(text)


def test_a_year_is_found_inside_a_code() -> None:
    """A question for "2018" shares a term with a page that says "FY2018"."""
    assert set(terms("2018")) <= set(terms("FY2018"))


def test_query_terms_leave_out_function_words_once() -> None:
    """Function words and repetitions carry no weight in a query."""
    assert query_terms("What is the the revenue of the revenue?") == ("revenue",)


def test_a_query_of_function_words_alone_is_kept() -> None:
    """A query that holds nothing else is still searched for."""
    assert query_terms("to be or not to be") == ("to", "be", "or", "not")


def test_stop_words_hold_no_comment() -> None:
    """The comment line of the word list is no stop word."""
    assert "#" not in stop_words()
    assert "asking" not in stop_words()
