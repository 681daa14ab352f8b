"""Telling the language of pages and queries."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ragvl.indexers import language
from ragvl.indexers.language import LANGUAGES, language_of

QUERIES = {
    "de": "Wie hoch waren die Investitionen im Jahr 2018?",
    "en": "What is the maximum operating temperature of the XR-200?",
    "es": "¿Quién firmó el contrato de arrendamiento?",
    "fr": "Quelle est la température maximale de fonctionnement ?",
    "it": "Quanti dipendenti lavorano nell'ufficio di Monaco?",
    "ja": "スマートフォンを所有する成人の割合は?",
    "nl": "Hoeveel medewerkers werken op het kantoor in München?",
    "pl": "Ilu pracowników pracuje w biurze w Monachium?",
    "pt": "Qual medicamento apresentou a maior taxa de resposta na fase II?",
    "ru": "Какова максимальная рабочая температура?",
}


@pytest.mark.parametrize("expected", QUERIES)
def test_a_question_tells_its_language(expected: str) -> None:
    """One short sentence is enough, numbers and product codes in it do not matter."""
    assert language_of(QUERIES[expected]) == expected
    assert expected in LANGUAGES


@pytest.mark.parametrize("text", ["", " \n", "2018", "4,210 3,980\n12 %", "XR-200", "目次", "\ud800", "🙂"])
def test_too_little_text_has_no_language(text: str) -> None:
    """Numbers, a code, characters that two languages share: no guess is made."""
    assert language_of(text) == ""


def test_a_page_of_numbers_keeps_the_language_of_its_words() -> None:
    """A table is in the language of its labels."""
    page = "Umsatzerlöse 4.210 3.980\nUmsatzkosten 2.100 2.030\nBruttoergebnis vom Umsatz 2.110 1.950\n" * 3
    assert language_of(page) == "de"


def test_a_long_chinese_text_is_chinese() -> None:
    """Where Japanese would show kana, their absence tells."""
    assert (
        language_of("集团的资本支出较上年增长,主要由于俄亥俄州的新工厂。折旧与摊销基本持平。董事会建议派息。")
        == "zh"
    )


def test_threads_agree() -> None:
    """Several threads get what one gets."""
    texts = list(QUERIES.values()) * 4
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(language_of, texts)) == [language_of(text) for text in texts]


@pytest.fixture
def _unloaded() -> Iterator[None]:
    language._identifier.cache_clear()
    yield
    language._identifier.cache_clear()


@pytest.mark.usefixtures("_unloaded")
def test_a_full_disk_leaves_languages_unknown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A search does not fail because the model cannot be unpacked; the log says so."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert language_of(QUERIES["de"]) == ""
    assert "No space left" in caplog.text


def test_the_model_is_loaded_late() -> None:
    """Importing costs nothing; what has no words does not load it either."""
    code = (
        "import sys; from ragvl.indexers.language import language_of; language_of('2018');"
        "print('py3langid' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
