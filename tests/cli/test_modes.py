"""`ragvl extract`, `compare` and `summarise`, and `ragvl ask --after`: what is printed, and what is passed on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragvl.errors import ConfigError
from ragvl.generator.grounding.prompt import Turn
from ragvl.generator.modes.compare import Comparison, Difference
from ragvl.generator.modes.extract import ExtractedField, Extraction
from ragvl.types import Answer, Citation, Document, Hit, LedgerEntry

FORM = {"type": "object", "properties": {"spent": {"type": "number"}}}


@pytest.fixture
def citation(library: Any) -> Citation:
    """A verified citation."""
    (found,) = library.answer.citations
    return found


@pytest.fixture
def hit(library: Any) -> Hit:
    """A page that was found."""
    return library.hits[0]


@pytest.fixture
def gives(library: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, object], list[tuple[Any, ...]]]:
    """Let a method of the library return a value; what it is called with is collected."""

    def put(name: str, value: object) -> list[tuple[Any, ...]]:
        calls: list[tuple[Any, ...]] = []

        def method(*arguments: Any, **options: Any) -> object:
            calls.append((*arguments, options) if options else arguments)
            if isinstance(value, Exception):
                raise value
            return value

        monkeypatch.setattr(library, name, method, raising=False)
        return calls

    return put


@pytest.fixture
def form(tmp_path: Path) -> Path:
    """A file with a form."""
    file = tmp_path / "form.json"
    file.write_text(json.dumps(FORM), encoding="utf-8")
    return file


def make_extraction(citation: Citation, hit: Hit) -> Extraction:
    """A form with a verified value, an unverified one, and one that no page says."""
    fields = (
        ExtractedField("spent", 1577, citation, True),
        ExtractedField("chief\x1b[2J", "Bo", replace(citation, verified=False), False),
        ExtractedField("seat", None, None, False),
    )
    values = {"spent": 1577, "chief\x1b[2J": "Bo", "seat": None}
    return Extraction(values, fields, ("no page says seat, which is required",), 2, (hit,), (), "fake")


def test_extract_prints_a_table(ragvl: Any, gives: Any, form: Path, citation: Citation, hit: Hit) -> None:
    """One row a field; problems and dropped citations below."""
    calls = gives("extract", make_extraction(citation, hit))
    outcome = ragvl("extract", str(form), "the year 2018", "--path", "10k/*")
    rows = [line.split() for line in outcome.stdout.splitlines()]
    assert ["spent", "1577", "10k/3M.pdf,", "page", "31", "yes"] in rows
    assert ["chief[2J", "Bo", "10k/3M.pdf,", "page", "31", "no"] in rows
    assert ["seat", "-", "-", "-"] in rows
    assert "no page says seat, which is required" in outcome.stdout
    assert "2 citations of pages that were not shown" in outcome.stdout
    assert calls == [(FORM, "the year 2018", {"path": ["10k/*"]})]
    assert outcome.code == 0


def test_extract_writes_json(ragvl: Any, gives: Any, form: Path, citation: Citation, hit: Hit) -> None:
    """The values in the shape of the form, and each with its citation."""
    gives("extract", make_extraction(citation, hit))
    written = json.loads(ragvl("extract", str(form), "--json").stdout)
    assert written["values"]["spent"] == 1577
    assert written["fields"][0]["citation"]["page_number"] == 31
    assert written["fields"][0]["verified"] is True
    assert written["hits"][0]["rank"] == 1


@pytest.mark.parametrize(
    ("content", "told"), [(None, "No such file"), ("{", "is no JSON"), ("\xff", "is no JSON")]
)
def test_a_form_that_cannot_be_read(
    ragvl: Any, gives: Any, tmp_path: Path, content: str | None, told: str
) -> None:
    """It is wrong use, told in one line."""
    calls = gives("extract", None)
    file = tmp_path / "f.json"
    if content is not None:
        file.write_text(content, encoding="latin-1")
    outcome = ragvl("extract", str(file))
    assert (outcome.code, calls) == (2, [])
    assert told in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_a_profile_that_only_quotes_is_told_what_to_do(ragvl: Any, gives: Any, form: Path) -> None:
    """The library's own words, and exit code 1."""
    gives("extract", ConfigError("the generator 'extractive' only quotes pages and cannot extract"))
    outcome = ragvl("extract", str(form))
    assert outcome.code == 1
    assert "only quotes pages" in outcome.stderr


def make_comparison(document: Document, citation: Citation) -> Comparison:
    """Two differences, the second of which was not found."""
    wrong = replace(citation, verified=False, regions=())
    differences = (
        Difference("The fee was 4 and is 5.", (citation,), (citation,), True),
        Difference("The port\x1b moved.", (citation,), (wrong,), False),
    )
    ledger = (LedgerEntry(1, "a.pdf", 1, 0, False, "beyond the first 16 requests"),)
    return Comparison(document, document, differences, 1, 0, ledger, "fake")


def test_compare_prints_both_sides(ragvl: Any, gives: Any, citation: Citation) -> None:
    """Each difference with its places, what was not found marked, what was left out told."""
    calls = gives("compare", make_comparison(citation.document, citation))
    printed = ragvl("compare", "a.pdf", "b.pdf", "fees").stdout.splitlines()
    assert printed[0] == "1. The fee was 4 and is 5."
    assert printed[1].startswith("   10k/3M.pdf, page 31  “The capital")
    assert "2. The port moved.  (not verified)" in printed
    assert "   10k/3M.pdf, page 31  (not found there)" in printed
    assert any("1 pages that differ were not looked at" in line for line in printed)
    assert any("1 lines left out" in line for line in printed)
    assert calls == [("a.pdf", "b.pdf", "fees")]


def test_compare_writes_json_and_says_when_nothing_differs(
    ragvl: Any, gives: Any, citation: Citation
) -> None:
    """No difference is an answer."""
    made = make_comparison(citation.document, citation)
    gives("compare", made)
    written = json.loads(ragvl("compare", "a.pdf", "b.pdf", "--json").stdout)
    assert [one["verified"] for one in written["differences"]] == [True, False]
    gives("compare", replace(made, differences=(), ledger=(), dropped=0))
    assert ragvl("compare", "a.pdf", "b.pdf").stdout == "No difference was found.\n"


def test_summarise_prints_an_answer(ragvl: Any, gives: Any, library: Any, tmp_path: Path) -> None:
    """Text and citations as of `ask`, what was left out, and the page of `--out`."""
    ledger = tuple(LedgerEntry(n, "a.pdf", n, 9, n == 1, "why") for n in (1, 2, 3))
    calls = gives("summarise", replace(library.answer, ledger=ledger))
    outcome = ragvl("summarise", "10k/", "fees", "--out", str(tmp_path / "s.html"))
    assert outcome.stdout.startswith("It was $1,577 million [1].\n\n[1] 10k/3M.pdf, page 31\n")
    assert "2 of 3 pages were left out" in outcome.stdout
    assert (tmp_path / "s.html").is_file()
    assert calls == [("10k/", "fees")]
    assert json.loads(ragvl("summarise", "10k/", "--json").stdout)["text"] == library.answer.text


def going_on(library: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let `ask` take a history, and collect what it was given."""
    given: dict[str, Any] = {}

    def ask(question: str, where: object = None, **options: Any) -> Answer:
        given.update(options)
        return replace(library.answer, question=question, searched_for="spending of 3M in 2017")

    monkeypatch.setattr(library, "ask", ask)
    return given


def test_ask_after_an_earlier_answer(
    ragvl: Any, library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ask --json` writes what `--after` reads; what was searched for is printed."""
    earlier = tmp_path / "one.json"
    earlier.write_text(ragvl("ask", "How much?", "--json").stdout, encoding="utf-8")
    given = going_on(library, monkeypatch)
    outcome = ragvl("ask", "And in 2017?", "--after", str(earlier))
    assert outcome.stdout.endswith("\nsearched for: spending of 3M in 2017\n")
    assert given == {"history": [Turn("How much?", "It was $1,577 million.")], "rewrite": True}
    ragvl("ask", "And in 2017?", "--after", str(earlier), "--no-rewrite", "--json")
    assert given["rewrite"] is False


@pytest.mark.parametrize("content", [None, "[]", "{", '{"question": 1, "text": "x"}', '{"text": "x"}'])
def test_ask_after_something_else(ragvl: Any, library: Any, tmp_path: Path, content: str | None) -> None:
    """A file that holds no answer is wrong use, told in one line."""
    file = tmp_path / "one.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    outcome = ragvl("ask", "x", "--after", str(file))
    assert outcome.code == 2
    assert str(file) in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
