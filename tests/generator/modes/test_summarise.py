"""Summaries in one request and in rounds, their labels kept to the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ragvl
from ragvl.errors import ConfigError
from ragvl.library import Library
from ragvl.testing import HashEncoder, write_documents
from tests.generator.modes.conftest import ScriptedWriter, Shown

Scripted = Callable[..., ScriptedWriter]
_NOTE = re.compile(r"^Pier.*\]\.?$", re.MULTILINE)
PAGES = 40


@pytest.fixture(scope="module")
def long_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of one document of forty pages."""
    folder = tmp_path_factory.mktemp("long")
    filling = "\n".join("The harbour office keeps records of every ship that calls there." for _ in range(8))
    pages = [
        f"Pier {number}\nPier {number} was {100 + number} metres long.\n{filling}"
        for number in range(1, PAGES + 1)
    ]
    write_documents(folder / "docs", {"piers/long.pdf": pages})
    with ragvl.open(folder / ".ragvl", encoder=HashEncoder()) as library:
        library.index(folder / "docs")
    return folder / ".ragvl"


@pytest.fixture
def piers(long_folder: Path) -> Iterator[Library]:
    """Forty pages."""
    with ragvl.open(long_folder, encoder=HashEncoder()) as opened:
        yield opened


def notes(shown: Shown) -> str:
    """A right note on each page; of notes, the same once more."""
    if shown.pages:
        return "\n".join(
            f"- Pier {number} was {100 + number} metres long [{label}]." for label, _, number in shown.pages
        )
    return "\n".join(_NOTE.findall(shown.text))


def test_a_short_document_takes_one_request(library: Library, scripted: Scripted) -> None:
    """Right lines are verified, wrong ones are not, forged labels are dropped."""

    def write(shown: Shown) -> str:
        fleet, result = shown.label("1,204,500"), shown.label("Result")
        return (
            f"Otter Ferries carried 1,204,500 passengers in 2018 [{fleet}].\n"
            f"The net result was -55 million crowns [{result}].\n"
            "It is the best company [q9z9].\n"
        )

    writer = scripted(write)
    made = library.summarise("otter.pdf")
    assert [(one.page_number, one.verified) for one in made.citations] == [(2, True), (3, False)]
    assert (len(writer.requests), made.usage["requests"], made.usage["unknown_labels"]) == (1, 1, 1)
    assert "q9z9" not in made.text
    assert "[1]" in made.text
    assert made.question == "Summary of otter.pdf"


@pytest.mark.parametrize("context_tokens", [1000, 1500, 4000, 12_000])
def test_forty_pages_end_and_keep_their_labels(
    piers: Library, monkeypatch: pytest.MonkeyPatch, context_tokens: int
) -> None:
    """However small the context, no request passes it, and what is cited at the end stands on its page."""
    writer = ScriptedWriter([notes], context_tokens)
    monkeypatch.setattr(piers, "generator", lambda: writer)
    made = piers.summarise("piers")
    assert made.citations
    assert all(one.verified for one in made.citations)
    numbers = [int(number) for number in re.findall(r"Pier (\d+) was", made.text)]
    assert [one.page_number for one in made.citations] == numbers
    assert made.usage["requests"] == len(writer.requests) < 2 * PAGES
    assert [entry.page_number for entry in made.ledger if entry.kept] == list(range(1, PAGES + 1))


def test_a_model_that_keeps_no_label_ends_too(piers: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notes it was given go on in place of what it wrote."""

    def forgetful(shown: Shown) -> str:
        return notes(shown) if shown.pages else "The piers are long. " * 200

    writer = ScriptedWriter([forgetful], 1500)
    monkeypatch.setattr(piers, "generator", lambda: writer)
    made = piers.summarise("long.pdf")
    assert (made.citations, made.support) == ((), 0.0)
    assert len(writer.requests) < 2 * PAGES


def test_labels_of_other_requests_are_forged(piers: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request may cite only the pages that it shows, even ones that exist."""
    seen: list[str] = []

    def write(shown: Shown) -> str:
        written = f"Pier 1 was 101 metres long [{seen[0]}]." if seen and shown.pages else notes(shown)
        seen.extend(label for label, _, _ in shown.pages)
        return written

    writer = ScriptedWriter([write], 1500)
    monkeypatch.setattr(piers, "generator", lambda: writer)
    made = piers.summarise("long.pdf")
    first = len(writer.requests[0].pages)
    assert {one.page_number for one in made.citations} == set(range(1, first + 1))


def test_nothing_to_the_point_is_a_refusal(piers: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question is passed on; pages that say nothing on it give no notes."""
    writer = ScriptedWriter(["NOTHING"], 4000)
    monkeypatch.setattr(piers, "generator", lambda: writer)
    made = piers.summarise("long.pdf", "the price of soup")
    assert (made.refused, made.citations, made.text) == (True, (), "Nothing there is to the point.")
    assert all("the price of soup" in request.text for request in writer.requests)


def test_a_path_without_documents_is_an_error(library: Library, scripted: Scripted) -> None:
    """And asks nobody."""
    writer = scripted("")
    with pytest.raises(ValueError, match="no document at 'eagles'"):
        library.summarise("eagles")
    assert writer.requests == []


def test_the_extractive_answerer_cannot(library: Library) -> None:
    """The error names what can."""
    with pytest.raises(ConfigError, match=r"cannot summarise.*endpoint\.yaml"):
        library.summarise("otter.pdf")
