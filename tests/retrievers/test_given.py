"""Answers from pages that somebody named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ragvl
from ragvl.library import Library
from ragvl.testing import write_documents

DOCUMENTS = {
    "report.txt": "The harbour crane lifts forty tonnes.",
    "old/report.txt": "The harbour crane lifts nine tonnes.",
    "scan[1].pdf": ["", "The bakery opens at six."],
}
QUESTION = "How much does the harbour crane lift?"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Two documents whose paths end alike, and one with a page of which there is no text."""
    folder = tmp_path_factory.mktemp("given")
    write_documents(folder, DOCUMENTS)
    with ragvl.open(folder / ".ragvl", overrides={"reading": {"ocr": {"pages": False}}}) as opened:
        opened.index(*(folder / name for name in DOCUMENTS))
        yield opened


@pytest.mark.parametrize(("path", "said"), [("report.txt", "forty"), ("old/report.txt", "nine")])
def test_only_the_given_page_is_answered_from(library: Library, path: str, said: str) -> None:
    """Another whose path ends the same is not."""
    answer = library.ask_pages(QUESTION, [(path, 1)])
    assert said in answer.text
    assert [hit.page.document.path for hit in answer.hits] == [path]
    assert [(entry.document_path, entry.kept) for entry in answer.ledger] == [(path, True)]
    assert {citation.document.path for citation in answer.citations} == {path}


def test_every_given_page_is_given(library: Library) -> None:
    """One without text, too, which no search finds; and a page that does not answer is no reason to make one up."""
    answer = library.ask_pages(QUESTION, [("scan[1].pdf", 1), ("scan[1].pdf", 2)])
    assert sorted(hit.page.number for hit in answer.hits) == [1, 2]
    assert [hit.score for hit in answer.hits if hit.page.number == 1] == [0.0]
    assert answer.refused


def test_pages_that_are_not_there(library: Library) -> None:
    """They are named."""
    with pytest.raises(ValueError, match=r"no page 3 of a document at 'scan\[1\].pdf'"):
        library.ask_pages(QUESTION, [("report.txt", 1), ("scan[1].pdf", 3)])
    with pytest.raises(ValueError, match="no page 1 of a document at 'nowhere.txt'"):
        library.ask_pages(QUESTION, [("nowhere.txt", 1)])
    with pytest.raises(ValueError, match="at least one page"):
        library.ask_pages(QUESTION, [])
