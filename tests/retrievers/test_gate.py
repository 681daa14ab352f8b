"""Which pages are in another language than a query, and when that is looked up at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ragvl.retrievers.gate import pages_in_another_language

MIXED = {1: "en", 2: "fr", 3: "", 4: "de"}


def _says(language: str) -> Callable[[str], str]:
    return lambda text: language


def _never(text: str) -> str:
    raise AssertionError(f"the language of {text!r} cannot matter")


def test_pages_of_other_languages_are_found_and_unknown_ones_are_not() -> None:
    """A page whose language is not known is not held against it."""
    assert pages_in_another_language("Umsatz 2018", MIXED, _says("de")) == {1, 2}


def test_a_query_of_unknown_language_gates_nothing() -> None:
    """A product code is in every language."""
    assert pages_in_another_language("XR-200", MIXED, _says("")) == frozenset()


@pytest.mark.parametrize("languages", [{}, {1: "", 2: ""}])
def test_pages_of_unknown_language_need_no_look(languages: dict[int, str]) -> None:
    """Pages of numbers, or no pages at all: the model of languages is not loaded."""
    assert pages_in_another_language("Umsatz", languages, _never) == frozenset()


def test_languages_are_told_by_the_library_s_own_detector() -> None:
    """A German question about German, English and French pages."""
    assert pages_in_another_language("Wie hoch waren die Investitionen im Jahr 2018?", MIXED) == {1, 2}
