"""`ragvl ask`: the answer, its citations, and what is told when there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragvl.types import LedgerEntry, PageForm


def test_answer_and_citations_in_a_pipe(ragvl: Any, library: Any) -> None:
    """The text comes first, then each citation with its page and quote; no hint where nobody looks."""
    outcome = ragvl("ask", "How much?")
    assert outcome.stdout.splitlines() == [
        "It was $1,577 million [1].",
        "",
        "[1] 10k/3M.pdf, page 31",
        "    “The capital expenditures of the company were $1,577 million in 2018.”",
    ]
    assert (outcome.code, outcome.stderr) == (0, "")


def test_answer_is_streamed_on_a_terminal(ragvl: Any, library: Any, on_terminal: None) -> None:
    """On a terminal the pieces are written as they come, once, and a hint says how to see the place."""
    library.pieces = ("It was \x1b[2J", "$1,577 million [1].")
    library.answer = replace(library.answer, text="It was \x1b[2J$1,577 million [1].")
    outcome = ragvl("ask", "How much?")
    assert outcome.stdout.startswith("It was [2J$1,577 million [1].\n")
    assert outcome.stdout.count("million [1]") == 1
    assert "add --show" in outcome.stdout


def test_text_that_was_not_streamed_is_printed(ragvl: Any, library: Any, on_terminal: None) -> None:
    """What counts is the finished answer: where the pieces were something else, it is printed as well."""
    library.pieces = ()
    assert ragvl("ask", "How much?").stdout.startswith("It was $1,577 million [1].")


def test_unverified_citation_is_marked(ragvl: Any, library: Any) -> None:
    """A quote that does not stand on its page is shown as not verified."""
    (citation,) = library.answer.citations
    library.answer = replace(library.answer, citations=(replace(citation, verified=False),))
    assert "[1] 10k/3M.pdf, page 31  (not verified)" in ragvl("ask", "How much?").stdout


def test_long_quote_is_shortened(ragvl: Any, library: Any) -> None:
    """A quote of many lines becomes one of a few hundred characters."""
    (citation,) = library.answer.citations
    library.answer = replace(library.answer, citations=(replace(citation, quote="word\n" * 500),))
    (quote,) = [line for line in ragvl("ask", "x").stdout.splitlines() if "“" in line]
    assert quote.endswith(" …”")
    assert len(quote) < 320


def test_refusal_offers_the_nearest_pages(ragvl: Any, library: Any) -> None:
    """A refused answer says so, and lists the nearest pages; that is no failure."""
    library.answer = replace(library.answer, text="", citations=(), refused=True)
    outcome = ragvl("ask", "How much?")
    assert outcome.code == 0
    assert "Not answered: no page supports an answer." in outcome.stdout
    assert " 1  10k/3M.pdf  page 31/160" in outcome.stdout


def test_explain_prints_the_ledger(ragvl: Any, library: Any) -> None:
    """Every candidate with its form, cost and reason, and the sum."""
    ledger = (
        LedgerEntry(7, "10k/3M.pdf", 31, 1204, True, "rank 1, as image", PageForm.IMAGE),
        LedgerEntry(8, "10k/3M.pdf", 32, 900, False, "takes 900 tokens, 12 are left of 1216"),
    )
    library.answer = replace(library.answer, ledger=ledger)
    printed = ragvl("ask", "How much?", "--explain").stdout
    assert "10k/3M.pdf, page 31" in printed
    assert "image" in printed
    assert "1,204" in printed
    assert "12 are left of 1216" in printed
    assert "1 of 2 pages given, 1,204 tokens" in printed


def test_json_is_the_answer(ragvl: Any, library: Any) -> None:
    """`--json` writes the answer's own fields, its hits ranked."""
    written = json.loads(ragvl("ask", "How much?", "--path", "10k/*", "--json").stdout)
    assert (
        written["refused"],
        written["generator"],
        written["text"],
    ) == (False, "fake", "It was $1,577 million [1].")
    assert (written["citations"][0]["page_number"], written["citations"][0]["verified"]) == (31, True)
    assert written["hits"][0]["rank"] == 1
    assert library.asked["where"] == {"path": ["10k/*"]}


@pytest.mark.parametrize("as_json", [False, True])
def test_show_writes_the_page_of_the_answer(ragvl: Any, library: Any, tmp_path: Path, as_json: bool) -> None:
    """`--out FILE` writes the page, with --json, too."""
    page = tmp_path / "answer.html"
    outcome = ragvl("ask", "How much?", "--out", str(page), *(["--json"] if as_json else []))
    assert str(page) in outcome.stdout
    assert "How much?" in page.read_text("utf-8")


def test_generator_without_an_answer(ragvl: Any, library: Any, on_terminal: None, monkeypatch: Any) -> None:
    """A stream that ends early is a failure with a line of its own."""
    monkeypatch.setattr(type(library), "ask_stream", lambda *_: iter(()))
    outcome = ragvl("ask", "x")
    assert outcome.code == 1
    assert "without an answer" in outcome.stderr
