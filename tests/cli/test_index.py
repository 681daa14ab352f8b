"""`ragvl index`: what is passed on, what is told, and how it stops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ragvl.cli.index_report import stopped_line
from ragvl.cli.progress import progress_line, seconds_left
from ragvl.errors import IndexWriteError
from ragvl.types import DocumentStatus, Failure, IndexProgress, IndexReport

LOCKED = Failure("a\x1b[31m.pdf", DocumentStatus.LOCKED, "needs a [b]password[/b]")


def _state(
    step: str = "read", documents: int = 10, pages: int = 200, elapsed_s: float = 20.0
) -> IndexProgress:
    return IndexProgress(step, documents, 40, pages, 400, 1000, (LOCKED,), elapsed_s)


def test_arguments_reach_the_library(ragvl: Any, library: Any) -> None:
    """Paths, patterns, password, settings and profile are passed on as they were meant."""
    ragvl(
        *("index", "a", "b", "--exclude", "*.tmp", "--exclude", "old/", "--password", "pw", "--retry"),
        *(
            "--index",
            "there",
            "--profile",
            "gpu",
            "--set",
            "reading.workers=1",
            "--set",
            "reading.ocr.pages=false",
        ),
    )
    assert (Path("a"), Path("b")) == library.asked["paths"]
    assert library.asked["exclude"] == ("*.tmp", "old/")
    assert (library.asked["password"], library.asked["retry"]) == ("pw", True)
    assert (Path("there"), "gpu") == (library.opened["index"], library.opened["profile"])
    assert library.opened["settings"] == {"reading": {"workers": 1, "ocr": {"pages": False}}}


def test_password_is_read_from_stdin(ragvl: Any, library: Any) -> None:
    """`--password -` keeps the password off the command line."""
    assert ragvl("index", ".", "--password", "-", typed="s3 cret\n").code == 0
    assert library.asked["password"] == "s3 cret"


def test_report_names_changes_and_failures(ragvl: Any, library: Any) -> None:
    """The summary counts what changed and names each failure with status, reason and remedy; failures exit 0."""
    library.report = IndexReport(
        added=("a.pdf", "b.pdf"),
        renamed=("c.pdf",),
        removed=("d.pdf",),
        unchanged=1300,
        failed=(LOCKED,),
        pages=2,
        passages=1,
        timings_s={"total": 75.0},
    )
    outcome = ragvl("index", ".")
    assert outcome.code == 0
    assert "2 added, 1 renamed, 1 removed, 1,300 unchanged" in outcome.stdout
    assert "2 pages, 1 passage in 1 min 15 s" in outcome.stdout
    row = next(line for line in outcome.stdout.splitlines() if "password[/b]" in line)
    assert all(part in row for part in ("a[31m.pdf", "locked", "--password"))


def test_every_status_has_a_remedy(ragvl: Any, library: Any) -> None:
    """Whatever became of a document, the table says what to do about it."""
    library.report = IndexReport(
        failed=tuple(Failure("x", status, "") for status in DocumentStatus if status is not DocumentStatus.OK)
    )
    rows = [line.split() for line in ragvl("index", ".").stdout.splitlines() if line.startswith("x ")]
    assert len(DocumentStatus) - 1 == len(rows)
    assert all(len(row) > 3 for row in rows)


def test_nothing_changed(ragvl: Any, library: Any) -> None:
    """A run without changes says so."""
    library.report = IndexReport(unchanged=5)
    assert "nothing changed, 5 unchanged" in ragvl("index", ".").stdout


def test_json_holds_the_report(ragvl: Any, library: Any) -> None:
    """`--json` writes one document with the report's own fields; progress is on stderr."""
    library.report = IndexReport(added=("a.pdf",), failed=(LOCKED,))
    library.states = (_state(),)
    outcome = ragvl("index", ".", "--json")
    written = json.loads(outcome.stdout)
    assert str(library.folder) == written["index"]
    assert written["report"]["added"] == ["a.pdf"]
    assert {"path": LOCKED.path, "status": "locked", "reason": LOCKED.reason} == written["report"]["failed"][
        0
    ]
    assert "locked: a[31m.pdf" in outcome.stderr


def test_progress_into_a_file_is_plain_lines(ragvl: Any, library: Any) -> None:
    """Elsewhere than on a terminal failures and the end are told in plain lines, each failure once."""
    library.states = (_state(), _state(), _state("done", 40, 400))
    outcome = ragvl("index", ".")
    assert outcome.stderr.splitlines() == [
        "locked: a[31m.pdf: needs a [b]password[/b]",
        "done: 40/40 documents, 400/400 pages, 50 passages/s, 1 failed",
    ]


def test_progress_on_a_terminal_is_live(ragvl: Any, library: Any, on_terminal: None) -> None:
    """On a terminal a display moves on stderr; failures stay above it, their text made harmless."""
    library.states = (_state(), _state("done", 40, 400))
    outcome = ragvl("index", ".")
    assert "\x1b[?25l" in outcome.stderr
    assert "locked: a[31m.pdf: needs a [b]password[/b]" in outcome.stderr
    assert "40/40 documents" in outcome.stderr
    assert "\x1b[31m.pdf" not in outcome.stdout + outcome.stderr


def test_time_left_follows_the_pages() -> None:
    """The time left is guessed from pages once there is something to go by."""
    assert None is seconds_left(_state(elapsed_s=1.0))
    assert None is seconds_left(_state("scan", documents=0, pages=0))
    early, late = seconds_left(_state(pages=100)), seconds_left(_state(documents=30, pages=300))
    assert early is not None
    assert late is not None
    assert early > late > 0


def test_scan_is_told_before_pages_are_known() -> None:
    """While documents are looked for, files are counted."""
    state = IndexProgress("scan", 3, 4000, 0, 0, 0, (), 0.5)
    assert progress_line(state) == "looking for documents: 3/4,000"


def test_ctrl_c_says_what_is_committed(ragvl: Any, library: Any) -> None:
    """A run that was stopped ends with 130 and says what stays; its report is written all the same."""
    library.report = IndexReport(added=("a", "b"), updated=("c",), interrupted=True)
    outcome = ragvl("index", ".", "--json")
    assert outcome.code == 130
    assert "stopped; 3 documents are committed, run again to go on" in outcome.stderr
    assert json.loads(outcome.stdout)["report"]["interrupted"] is True


def test_ctrl_c_before_the_first_document(ragvl: Any, library: Any) -> None:
    """Ctrl-C while documents are looked for is told in the same way."""
    library.error = KeyboardInterrupt()
    outcome = ragvl("index", ".")
    assert outcome.code == 130
    assert stopped_line(IndexReport(interrupted=True)) in outcome.stderr


def test_full_disk_ends_with_1(ragvl: Any, library: Any) -> None:
    """An error that ends the run is told after the progress and ends with 1."""
    library.states = (_state(),)
    library.error = IndexWriteError("the disk is full")
    outcome = ragvl("index", ".")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.splitlines()[-1] == "error: the disk is full"


def test_dry_run_shows_an_estimate(ragvl: Any, library: Any) -> None:
    """`--dry-run` tells counts, time, disk, what would leave and what would not be read; it indexes nothing."""
    outcome = ragvl("index", ".", "--dry-run", "--exclude", "x")
    assert outcome.code == 0
    for told in (
        "about 160 pages",
        "about 1 min 15 s",
        "9.0 MiB",
        "gone.pdf",
        "b.bin",
        "nothing was written",
    ):
        assert told in outcome.stdout
    assert (library.runs, list(library.asked["exclude"])) == (0, ["x"])


def test_dry_run_as_json(ragvl: Any, library: Any) -> None:
    """`--dry-run --json` writes the estimate's own fields."""
    written = json.loads(ragvl("index", ".", "--dry-run", "--json").stdout)
    assert (written["estimate"]["pages"], written["estimate"]["gone"]) == (160, ["gone.pdf"])


@pytest.mark.parametrize("line", ["--dry-run", "--json"])
def test_output_holds_no_control_characters(ragvl: Any, library: Any, line: str) -> None:
    """Into a pipe go neither colours nor cursor movements, nor blanks at the ends of lines."""
    outcome = ragvl("index", ".", line)
    assert "\x1b" not in outcome.stdout + outcome.stderr
    assert all(text == text.rstrip() for text in outcome.stdout.splitlines())
