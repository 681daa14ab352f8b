"""`ragvl list`, `remove`, `verify` and `compact`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ragvl.types import Damage, DocumentStatus, VerifyReport


def test_list_shows_every_document(ragvl: Any, library: Any) -> None:
    """Documents that could not be read are listed with the reason, and counted."""
    (good,) = library.held
    library.held = [
        good,
        replace(good, path="b\x1b.pdf", status=DocumentStatus.LOCKED, reason="needs\na password"),
    ]
    lines = ragvl("list").stdout.splitlines()
    assert lines[0].split() == ["document", "pages", "size", "changed", "status"]
    assert lines[1].split() == ["10k/3M.pdf", "160", "2.0", "MiB", "2024-05-17", "ok"]
    assert lines[2].startswith("b.pdf ")
    assert lines[2].endswith("locked: needs a password")
    assert lines[3] == "2 documents, 1 locked"


def test_list_by_status(ragvl: Any, library: Any) -> None:
    """`--status` leaves the others out."""
    assert ragvl("list", "--status", "locked").stdout == "0 documents\n"
    written = json.loads(ragvl("list", "--status", "ok", "--json").stdout)
    assert (["10k/3M.pdf"], str(library.folder)) == (
        [one["path"] for one in written["documents"]],
        written["index"],
    )


def test_long_paths_are_not_cut_in_a_pipe(ragvl: Any, library: Any) -> None:
    """A program that reads the list gets whole paths, one document a line."""
    library.held = [replace(library.held[0], path="folder/" * 60 + "x.pdf")]
    assert "folder/" * 60 + "x.pdf" in ragvl("list").stdout


def test_remove_names_what_left(ragvl: Any, library: Any) -> None:
    """What was removed stands on stdout, the warning that files come back on stderr."""
    outcome = ragvl("remove", "10k/*")
    assert outcome.stdout == "removed 10k/3M.pdf\n"
    assert "comes back" in outcome.stderr
    assert library.asked == {"path": "10k/*"}
    assert json.loads(ragvl("remove", "x", "--json").stdout)["removed"][0]["path"] == "10k/3M.pdf"


def test_sound_index(ragvl: Any, library: Any) -> None:
    """A sound index is told with what was looked at."""
    outcome = ragvl("verify")
    assert (outcome.code, outcome.stdout) == (0, "sound: 12 files, 5.0 MiB\n")
    assert library.asked == {"repair": False}


def test_damaged_index(ragvl: Any, library: Any) -> None:
    """Damages are listed with what to do about them, and end with 1."""
    library.checked = VerifyReport(12, 5 << 20, (Damage("segments/text/4", "does not match its checksum"),))
    outcome = ragvl("verify")
    assert outcome.code == 1
    assert "segments/text/4: does not match its checksum" in outcome.stdout
    assert "ragvl verify --repair" in outcome.stdout
    again = ragvl("verify", "--repair", "--json")
    assert (again.code, json.loads(again.stdout)["sound"]) == (1, False)
    assert library.asked == {"repair": True}


def test_compact_says_what_was_saved(ragvl: Any, library: Any) -> None:
    """The space given back is told."""
    assert ragvl("compact").stdout == "3.0 MiB saved\n"
    assert json.loads(ragvl("compact", "--json").stdout)["saved_bytes"] == 3 << 20
