"""Two documents side by side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import ragvl
from ragvl.errors import ConfigError
from ragvl.library import Library
from ragvl.testing import HashEncoder, write_documents
from tests.generator.modes.conftest import ScriptedWriter, Shown

Scripted = Callable[..., ScriptedWriter]


def passengers(shown: Shown) -> str:
    """A right difference, a wrong one, one with one side only, one with a forged label, and a line of chatter."""
    otter, heron = shown.label("1,204,500"), shown.label("980,000")
    return (
        "Here is what I found:\n"
        f"- Otter Ferries carried 1,204,500 passengers [{otter}], Heron Ferries carried 980,000 [{heron}].\n"
        f"- The otters' fleet grew to eight ships [{otter}], the herons' stayed at nine [{heron}].\n"
        f"- The fleet grew from five to seven ships [{otter}].\n"
        f"- Otter Ferries has seven ships [{otter}] and Heron Ferries nine [q9z9].\n"
    )


def test_a_difference_is_cited_on_both_sides(library: Library, scripted: Scripted) -> None:
    """Places are looked up on each; a line with one side, or whose other side is forged, is dropped and counted."""
    scripted(passengers)
    made = library.compare("otter.pdf", "docs/heron.pdf", "passengers and fleet")
    assert [(one.text[:12], one.verified) for one in made.differences] == [
        ("Otter Ferrie", True),
        ("The otters' ", False),
    ]
    first = made.differences[0]
    assert first.text == "Otter Ferries carried 1,204,500 passengers, Heron Ferries carried 980,000."
    for side, name in ((first.left, "docs/otter.pdf"), (first.right, "docs/heron.pdf")):
        assert [(one.document.path, one.page_number, one.verified) for one in side] == [(name, 2, True)]
        assert side[0].regions
    assert (made.dropped, made.unknown_labels) == (2, 1)
    assert (made.left.path, made.right.path) == ("docs/otter.pdf", "docs/heron.pdf")


def test_swapped_sides_are_not_verified(library: Library, scripted: Scripted) -> None:
    """What the one says is not found in the other."""

    def swapped(shown: Shown) -> str:
        otter, heron = shown.label("1,204,500"), shown.label("980,000")
        return f"It carried 980,000 passengers [{otter}], and the other 1,204,500 passengers [{heron}]."

    scripted(swapped)
    (difference,) = library.compare("otter.pdf", "heron.pdf", "passengers").differences
    assert not difference.verified
    assert [one.verified for one in (*difference.left, *difference.right)] == [False, False]


def test_versions_are_compared_page_by_page(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that are the same in both are not shown; the others stand beside their counterparts."""
    folder = tmp_path_factory.mktemp("versions")
    old = [
        f"Chapter {word}\nThe {word} fee is {number} crowns."
        for number, word in enumerate(["harbour", "pilot", "towing"], 3)
    ]
    new = [old[0], old[1].replace("4 crowns", "9 crowns"), old[2]]
    write_documents(folder / "docs", {"old.pdf": old, "new.pdf": new})

    def write(shown: Shown) -> str:
        return f"The pilot fee was 4 crowns [{shown.label('4 crowns')}] and is 9 crowns [{shown.label('9 crowns')}]."

    writer = ScriptedWriter([write])
    with ragvl.open(folder / ".ragvl", encoder=HashEncoder()) as library:
        library.index(folder / "docs")
        monkeypatch.setattr(library, "generator", lambda: writer)
        made = library.compare("old.pdf", "new.pdf")
        assert library.compare("old.pdf", "new.pdf", "harbour fee").ledger
    assert [number for _, _, number in writer.requests[0].pages] == [2, 2]
    assert [one.verified for one in made.differences] == [True]
    assert [entry.page_number for entry in made.ledger] == [2, 2]


def test_documents_that_say_the_same_ask_nobody(library: Library, scripted: Scripted) -> None:
    """Nothing to report is no line; "NOTHING" is not a difference."""
    scripted("NOTHING")
    made = library.compare("otter.pdf", "heron.pdf")
    assert (made.differences, made.dropped) == ((), 0)


@pytest.mark.parametrize("context_tokens", [900, 1100, 3000])
def test_no_request_is_larger_than_the_context(
    library: Library, scripted: Scripted, context_tokens: int
) -> None:
    """The writer itself fails one that is; with little room there are more requests."""
    writer = scripted("NOTHING", context_tokens=context_tokens)
    made = library.compare("otter.pdf", "heron.pdf")
    assert len(writer.requests) >= 1
    assert all(entry.kept for entry in made.ledger)


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        ("otter.pdf", "docs/otter.pdf", "the same document"),
        ("otter.pdf", "eagle.pdf", "no document at 'eagle.pdf'"),
        ("*.pdf", "otter.pdf", "means 2 documents"),
    ],
)
def test_two_documents_must_be_named(
    library: Library, scripted: Scripted, left: str, right: str, told: str
) -> None:
    """Before anything is asked."""
    writer = scripted("")
    with pytest.raises(ValueError, match=told):
        library.compare(left, right)
    assert writer.requests == []


def test_the_extractive_answerer_cannot(library: Library) -> None:
    """The error names what can."""
    with pytest.raises(ConfigError, match=r"cannot compare.*endpoint\.yaml"):
        library.compare("otter.pdf", "heron.pdf")
