"""`ragvl index --watch`: what is looked at, and what is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ragvl.cli import watch
from ragvl.cli.watch import Relevant
from ragvl.errors import IndexLockedError
from ragvl.types import DocumentStatus, Failure, IndexReport


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/docs/a.pdf", True),
        ("/docs/deep/a.pdf", True),
        ("/docs/.gitignore", True),
        ("/docs/.hidden/a.pdf", False),
        ("/docs/.a.pdf.swp", False),
        ("/docs/index/ragvl.db", False),
        ("/elsewhere/a.pdf", False),
        ("/single/file.pdf", True),
        ("/single/other.pdf", False),
    ],
)
def test_only_documents_matter(path: str, expected: bool) -> None:
    """The index itself, hidden files and what lies beside the roots start no run."""
    relevant = Relevant((Path("/docs"), Path("/single/file.pdf")), Path("/docs/index"))
    assert expected == relevant(None, path)


def _turns(monkeypatch: pytest.MonkeyPatch, *changes: bool) -> None:
    """Have watchfiles report these turns, and Ctrl-C after them."""
    left = list(changes)

    def watched(*_places: Path, **_options: object) -> Iterator[set[object]]:
        while left:
            yield {"change"} if left.pop(0) else set()
        raise KeyboardInterrupt

    monkeypatch.setattr("watchfiles.watch", watched)


def test_each_change_is_one_line(ragvl: Any, library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first run each burst of changes is one run and one line; quiet turns start none; Ctrl-C ends with 0."""
    _turns(monkeypatch, False, False, True)
    outcome = ragvl("index", ".", "--watch")
    assert outcome.code == 0
    assert library.runs == 3  # at first, for what changed before the watch began, and for the change
    assert outcome.stderr.count("1 added, 0 unchanged (") == 2
    assert "stopped watching" in outcome.stderr


def test_runs_without_changes_are_silent(ragvl: Any, library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was touched but not changed is not worth a line."""
    library.report = IndexReport(unchanged=4)
    _turns(monkeypatch, False, True, True)
    assert ragvl("index", ".", "--watch").stderr.splitlines() == [
        "watching for changes; Ctrl-C ends",
        "stopped watching",
    ]


def test_failures_are_named_while_watching(ragvl: Any, library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that cannot be read is told when it comes."""
    library.report = IndexReport(added=("a",), failed=(Failure("a", DocumentStatus.CORRUPT, "no header"),))
    _turns(monkeypatch, True)
    outcome = ragvl("index", ".", "--watch")
    assert "1 document not read in full" in outcome.stderr
    assert "corrupt: a: no header" in outcome.stderr


def test_failed_run_is_tried_again(ragvl: Any, library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process writes, that is told once; the run is tried again until it succeeds."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            library.error = None

    monkeypatch.setattr("ragvl.cli.watch.time.sleep", sleep)

    def watched(*_places: Path, **_options: object) -> Iterator[set[object]]:
        yield set()
        raise KeyboardInterrupt

    monkeypatch.setattr("watchfiles.watch", watched)
    monkeypatch.setattr(type(library), "index", _failing_after_the_first(library))
    outcome = ragvl("index", ".", "--watch")
    assert outcome.code == 0
    assert outcome.stderr.count("the index is busy; trying again") == 1
    assert len(waits) == 2
    assert outcome.stderr.splitlines()[-2].endswith("s)")


def test_interrupted_run_ends_the_watch(ragvl: Any, library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a run is under way ends the watch with 0, too."""
    _turns(monkeypatch, True, True, True)
    reports = iter([IndexReport(), IndexReport(interrupted=True)])
    monkeypatch.setattr(type(library), "index", lambda *_, **__: next(reports))
    assert ragvl("index", ".", "--watch").code == 0


def test_a_real_change_is_seen(
    ragvl: Any, library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new file under a watched folder starts a run."""
    docs = tmp_path / "docs"
    docs.mkdir()
    monkeypatch.setattr(watch, "_LOOK_EVERY_MS", 100)
    monkeypatch.setattr(watch, "_QUIET_MS", 20)
    monkeypatch.setattr(watch, "_DEBOUNCE_MS", 100)

    def index(*_: object, **__: object) -> IndexReport:
        library.runs += 1
        if library.runs == 2:
            threading.Thread(target=(docs / "new.pdf").write_bytes, args=(b"%PDF",)).start()
        if library.runs == 3:
            raise KeyboardInterrupt
        return IndexReport()

    monkeypatch.setattr(type(library), "index", index)
    assert ragvl("index", str(docs), "--watch").code == 0
    assert library.runs == 3


def _failing_after_the_first(library: Any) -> Any:
    def index(*_: object, **__: object) -> IndexReport:
        library.runs += 1
        if library.runs == 1:
            library.error = IndexLockedError("the index is busy.")
            return IndexReport()
        if library.error:
            raise library.error
        return IndexReport(added=("a",))

    return index


def test_replaced_folder_is_watched_anew(
    ragvl: Any, library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was exchanged for another of its name is watched again, so later changes are not lost."""
    docs = tmp_path / "docs"
    docs.mkdir()
    monkeypatch.setattr(watch, "_LOOK_EVERY_MS", 100)
    monkeypatch.setattr(watch, "_QUIET_MS", 20)

    def index(*_: object, **__: object) -> IndexReport:
        library.runs += 1
        if library.runs == 2:
            docs.rename(tmp_path / "old")
            docs.mkdir()
        if library.runs == 3:
            threading.Thread(target=(docs / "new.pdf").write_bytes, args=(b"%PDF",)).start()
        if library.runs == 4:
            raise KeyboardInterrupt
        return IndexReport()

    monkeypatch.setattr(type(library), "index", index)
    assert ragvl("index", str(docs), "--watch").code == 0
    assert library.runs == 4
