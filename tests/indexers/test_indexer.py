"""A run of indexing: what it reads, keeps, renames and drops, judged by content."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from ragvl.indexers import indexer
from ragvl.indexers.workers import DocumentRead, ReadRequest
from ragvl.library import Library
from ragvl.types import DocumentStatus, Failure, IndexProgress, IndexReport
from tests.reliability.harness import make_draft, open_library

_AN_HOUR_AGO_NS = 3600 * 10**9


class FakePool:
    """
    Reads text files in this process; a form feed begins a page.

    A file that begins with "locked" needs the password "open", one that begins with "crash" crashes.
    """

    paths: ClassVar[list[str]] = []
    before_reading: Callable[[Path], None] = staticmethod(lambda path: None)

    def __init__(self, *settings: object) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...

    def read(self, requests: Iterable[ReadRequest], on_pages: object = None) -> Iterator[DocumentRead]:
        """Yield each document as it is asked for."""
        for request in requests:
            FakePool.before_reading(request.path)
            FakePool.paths.append(request.path.name)
            yield self._read(request)

    def _read(self, request: ReadRequest) -> DocumentRead:
        status, pages = DocumentStatus.OK, ()
        text = request.path.read_text() if request.path.exists() else "corrupt"
        if text.startswith("locked") and request.password != "open":
            status = DocumentStatus.LOCKED
        elif text.startswith("crash"):
            status = DocumentStatus.CRASHED
        elif text == "corrupt":
            status = DocumentStatus.CORRUPT
        else:
            pages = make_draft(*text.split("\f")).pages
        reason = "" if status is DocumentStatus.OK else f"is {status}"
        return DocumentRead(request.key, status, reason, "", len(pages), pages)


@pytest.fixture(autouse=True)
def _fake_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "ReadingPool", FakePool)
    monkeypatch.setattr(FakePool, "paths", [])


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A project folder with three documents."""
    folder = tmp_path / "project" / "docs"
    folder.mkdir(parents=True)
    for name, text in {
        "crane.txt": "the crane",
        "tide.txt": "the tide\fpage two",
        "storm.txt": "a storm",
    }.items():
        write(folder / name, text)
    return folder


@pytest.fixture
def library(docs: Path) -> Iterator[Library]:
    """A library in the project folder."""
    with open_library(docs.parent / ".ragvl", paged=False) as opened:
        yield opened


def write(path: Path, text: str) -> None:
    """Write a file as if that had been an hour ago, but later than the last time this path was written."""
    later = path.stat().st_mtime_ns + 10**9 if path.exists() else 0
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    then = max(later, path.stat().st_mtime_ns - _AN_HOUR_AGO_NS)
    os.utime(path, ns=(then, then))


def changes(report: IndexReport) -> dict[str, Any]:
    """What a report says, without what is empty."""
    fields = ("added", "updated", "renamed", "removed", "unchanged")
    return {name: value for name in fields if (value := getattr(report, name))}


def paths(library: Library) -> list[str]:
    """The documents of a library."""
    return [document.path for document in library.documents()]


def test_new_documents_are_added(library: Library, docs: Path) -> None:
    """Their pages and passages are counted, and found."""
    report = library.index(docs)
    assert changes(report) == {"added": ("docs/crane.txt", "docs/storm.txt", "docs/tide.txt")}
    assert (report.pages, report.passages, report.failed, report.interrupted) == (4, 4, (), False)
    assert library.search("page two")[0].page.number == 2
    assert set(report.timings_s) == {"scan", "read", "encode", "commit", "total"}


def test_unchanged_documents_are_not_even_opened(
    library: Library, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is hashed, read or written the second time."""
    library.index(docs)
    generation = _generation(library)

    def fail(path: Path) -> str:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(indexer, "sha256_of", fail)
    assert changes(library.index(docs)) == {"unchanged": 3}
    assert len(FakePool.paths) == 3
    assert _generation(library) == generation


def test_a_touched_document_is_hashed_but_not_read(library: Library, docs: Path) -> None:
    """The same content under a new time: unchanged, and next time not even hashed."""
    library.index(docs)
    write(docs / "crane.txt", "the crane")
    assert changes(library.index(docs)) == {"unchanged": 3}
    assert len(FakePool.paths) == 3
    assert changes(library.index(docs)) == {"unchanged": 3}


def test_a_changed_document_replaces_the_old_one(library: Library, docs: Path) -> None:
    """What it said before is not found any more."""
    library.index(docs)
    write(docs / "crane.txt", "a gantry")
    assert changes(library.index(docs)) == {"updated": ("docs/crane.txt",), "unchanged": 2}
    assert library.search("gantry")[0].page.document.path == "docs/crane.txt"
    assert all("the crane" not in hit.page.text for hit in library.search("crane"))
    assert not library.verify().damages


def test_a_renamed_document_is_not_read_again(library: Library, docs: Path) -> None:
    """It is told as renamed, neither added nor removed."""
    library.index(docs)
    (docs / "new").mkdir()
    (docs / "crane.txt").rename(docs / "new" / "hoist.txt")
    assert changes(library.index(docs)) == {"renamed": ("docs/new/hoist.txt",), "unchanged": 2}
    assert len(FakePool.paths) == 3
    assert paths(library) == ["docs/new/hoist.txt", "docs/storm.txt", "docs/tide.txt"]
    assert library.search("hoist")[0].page.document.path == "docs/new/hoist.txt"


def test_two_documents_that_change_places(library: Library, docs: Path) -> None:
    """Each is found under its new name, and nothing is read."""
    library.index(docs)
    (docs / "crane.txt").rename(docs / "x")
    (docs / "tide.txt").rename(docs / "crane.txt")
    (docs / "x").rename(docs / "tide.txt")
    report = library.index(docs)
    assert changes(report) == {"updated": ("docs/crane.txt", "docs/tide.txt"), "unchanged": 1}
    assert len(FakePool.paths) == 3
    texts = {hit.page.document.path: hit.page.text for hit in library.search("the crane the tide", k=10)}
    assert texts["docs/tide.txt"] == "the crane"


def test_a_copy_is_one_document_with_two_files(library: Library, docs: Path) -> None:
    """Read once, whether both come at once or one after the other; it goes with the last."""
    write(docs / "copy-1.txt", "the crane")
    library.index(docs)
    write(docs / "copy-2.txt", "the crane")
    assert changes(library.index(docs)) == {"added": ("docs/copy-2.txt",), "unchanged": 4}
    assert sorted(FakePool.paths) == ["copy-1.txt", "storm.txt", "tide.txt"]
    assert paths(library) == ["docs/copy-1.txt", "docs/storm.txt", "docs/tide.txt"]
    for name in ("crane.txt", "copy-1.txt"):
        (docs / name).unlink()
        library.index(docs)
    assert paths(library) == ["docs/copy-2.txt", "docs/storm.txt", "docs/tide.txt"]
    (docs / "copy-2.txt").unlink()
    assert changes(library.index(docs)) == {"removed": ("docs/copy-2.txt",), "unchanged": 2}
    assert not library.verify().damages


def test_deleted_documents_leave_under_the_given_roots_only(
    library: Library, docs: Path, tmp_path: Path
) -> None:
    """Indexing one folder says nothing about another."""
    other = tmp_path / "other"
    write(other / "ledger.txt", "a ledger")
    library.index(docs, other)
    (docs / "crane.txt").unlink()
    (other / "ledger.txt").unlink()
    write(other / "list.txt", "a list")
    assert changes(library.index(other)) == {
        "added": (f"{other}/list.txt",),
        "removed": (f"{other}/ledger.txt",),
    }
    assert "docs/crane.txt" in paths(library)
    assert changes(library.index(docs)) == {"removed": ("docs/crane.txt",), "unchanged": 2}


def test_a_missing_root_changes_nothing(library: Library, docs: Path) -> None:
    """Not even what lies under the roots that are there."""
    library.index(docs)
    (docs / "crane.txt").unlink()
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        library.index(docs, docs.parent / "nowhere")
    assert len(paths(library)) == 3


def test_a_moved_project_is_unchanged(library: Library, docs: Path, tmp_path: Path) -> None:
    """Documents inside the folder that holds the index move with it."""
    library.index(docs)
    library.close()
    moved = tmp_path / "elsewhere"
    docs.parent.rename(moved)
    with open_library(moved / ".ragvl", paged=False) as again:
        assert changes(again.index(moved / "docs")) == {"unchanged": 3}
        assert again.search("crane")[0].page.document.path == "docs/crane.txt"


def test_documents_outside_keep_their_whole_path(library: Library, tmp_path: Path) -> None:
    """A neighbour of the project folder whose name begins alike is outside."""
    write(tmp_path / "project2" / "a.txt", "a text")
    library.index(tmp_path / "project2")
    assert paths(library) == [f"{tmp_path}/project2/a.txt"]


def test_failures_are_recorded_with_their_reason(library: Library, docs: Path) -> None:
    """Listed, and not tried again until something changes or it is asked for."""
    write(docs / "bad.txt", "crash")
    write(docs / "x.bin", "\0\1")
    os.mkfifo(docs / "pipe")
    report = library.index(docs)
    failed = {failure.path: failure.status for failure in report.failed}
    assert failed == {
        "docs/bad.txt": DocumentStatus.CRASHED,
        "docs/x.bin": DocumentStatus.UNSUPPORTED,
        "docs/pipe": DocumentStatus.UNSUPPORTED,
    }
    listed = {document.path: document.status for document in library.documents() if document.reason}
    assert listed == failed
    assert library.index(docs).unchanged == 6
    assert FakePool.paths.count("bad.txt") == 1
    assert changes(library.index(docs, retry=True))["updated"] == ("docs/bad.txt",)
    assert FakePool.paths.count("bad.txt") == 2
    assert not library.verify().damages


def test_a_locked_document_is_read_once_a_password_comes(library: Library, docs: Path) -> None:
    """Without one it stays locked; its copies are unlocked with it."""
    write(docs / "secret.txt", "locked away: the combination")
    write(docs / "secret copy.txt", "locked away: the combination")
    assert [failure.status for failure in library.index(docs).failed] == [DocumentStatus.LOCKED] * 2
    assert [failure.status for failure in library.index(docs, password="wrong").failed] == [
        DocumentStatus.LOCKED
    ] * 2
    report = library.index(docs, password="open")
    assert changes(report) == {"updated": ("docs/secret copy.txt", "docs/secret.txt"), "unchanged": 3}
    assert library.search("combination")[0].page.document.status is DocumentStatus.OK
    assert library.index(docs, password="open").unchanged == 5
    assert FakePool.paths.count("secret copy.txt") == 3
    assert not library.verify().damages


def test_a_file_that_cannot_be_opened_today_keeps_its_document(
    library: Library, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before is still found, and the trouble is told; later all is as it was."""
    library.index(docs)
    write(docs / "crane.txt", "the crane!")
    original = indexer.sha256_of

    def fail(path: Path) -> str:
        if path.name == "crane.txt":
            raise PermissionError(13, "Permission denied")
        return original(path)

    with monkeypatch.context() as patched:
        patched.setattr(indexer, "sha256_of", fail)
        report = library.index(docs)
    reason = "cannot be read: Permission denied"
    assert report.failed == (Failure("docs/crane.txt", DocumentStatus.CORRUPT, reason),)
    assert library.search("crane")[0].page.text == "the crane"
    assert changes(library.index(docs))["updated"] == ("docs/crane.txt",)


def test_a_file_that_goes_while_it_is_looked_at(
    library: Library, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the walk and the reading: an old one leaves, a new one never was."""
    library.index(docs)
    write(docs / "crane.txt", "the crane!")
    write(docs / "new.txt", "a gale")
    original = indexer.sha256_of

    def vanish(path: Path) -> str:
        path.unlink()
        return original(path)

    monkeypatch.setattr(indexer, "sha256_of", vanish)
    assert changes(library.index(docs)) == {"removed": ("docs/crane.txt",), "unchanged": 2}
    assert not library.verify().damages


def test_a_document_that_moves_while_it_is_read(
    library: Library, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashed here, gone when it is opened: the failure is not held against the same content elsewhere."""

    def move(path: Path) -> None:
        if path.name == "crane.txt" and path.exists():
            path.rename(docs.parent / "crane.txt")

    monkeypatch.setattr(FakePool, "before_reading", staticmethod(move))
    assert [failure.path for failure in library.index(docs).failed] == ["docs/crane.txt"]
    (docs.parent / "crane.txt").rename(docs / "hoist.txt")
    report = library.index(docs)
    assert changes(report) == {"added": ("docs/hoist.txt",), "removed": ("docs/crane.txt",), "unchanged": 2}
    assert library.search("crane")[0].page.document.status is DocumentStatus.OK


def test_a_document_that_changes_while_it_is_read(
    library: Library, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy never gets the text of what the file became, and the next run sees the change."""

    def change(path: Path) -> None:
        if path.name == "a.txt":
            write(path, "a gantry")

    write(docs / "a.txt", "the hoist")
    write(docs / "z.txt", "the hoist")
    with monkeypatch.context() as patched:
        patched.setattr(FakePool, "before_reading", staticmethod(change))
        library.index(docs)
    library.index(docs)
    found = {document.path: document.id for document in library.documents()}
    assert {"docs/a.txt", "docs/z.txt"} <= set(found)
    texts = {hit.page.document.path: hit.page.text for hit in library.search("gantry hoist", k=10)}
    assert (texts["docs/a.txt"], texts["docs/z.txt"]) == ("a gantry", "the hoist")
    assert not library.verify().damages


def test_an_interrupted_run_keeps_what_was_committed(
    library: Library, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the run with a report; the next one reads the rest only."""

    def stop(path: Path) -> None:
        if path.name == "storm.txt":
            raise KeyboardInterrupt

    monkeypatch.setattr(indexer, "_BATCH_PASSAGES", 1)
    with monkeypatch.context() as patched:
        patched.setattr(FakePool, "before_reading", staticmethod(stop))
        report = library.index(docs)
    assert (report.interrupted, report.added, paths(library)) == (
        True,
        ("docs/crane.txt",),
        ["docs/crane.txt"],
    )
    again = library.index(docs)
    assert (len(again.added), again.unchanged, again.interrupted) == (2, 1, False)
    assert FakePool.paths == ["crane.txt", "storm.txt", "tide.txt"]
    assert not library.verify().damages


def test_an_error_in_a_run_leaves_a_sound_index(
    library: Library, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed stays, the lock is free, the next run goes on."""
    monkeypatch.setattr(indexer, "_BATCH_PASSAGES", 1)
    encoder = library._models.passages()
    encode = encoder.encode_passages
    calls = iter(range(10))

    def fail_second(texts: list[str]) -> object:
        if next(calls) == 1:
            raise RuntimeError("the encoder broke")
        return encode(texts)

    monkeypatch.setattr(encoder, "encode_passages", fail_second)
    with pytest.raises(RuntimeError, match="the encoder broke"):
        library.index(docs)
    assert len(paths(library)) == 1
    assert len(library.index(docs).added) == 2
    assert not library.verify().damages


def test_progress_tells_every_commit(library: Library, docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When "commit" is told, the documents are in the index."""
    monkeypatch.setattr(indexer, "_BATCH_PASSAGES", 1)
    held: list[int] = []
    steps: list[str] = []

    def note(progress: IndexProgress) -> None:
        steps.append(progress.step)
        if progress.step == "commit":
            held.append(len(library.documents()))

    library.index(docs, progress=note)
    assert held == [1, 2, 3]
    assert steps[-1] == "done"


def test_a_renamed_folder_of_many_files_is_quick(library: Library, docs: Path) -> None:
    """Each file is told as renamed, none as removed."""
    for number in range(300):
        write(docs / "old" / f"{number}.txt", f"text {number}")
    library.index(docs)
    (docs / "old").rename(docs / "new")
    report = library.index(docs)
    assert (len(report.renamed), report.removed, report.added, report.unchanged) == (300, (), (), 3)


def test_an_emptied_folder_empties_the_index(library: Library, docs: Path) -> None:
    """A root that is there and empty is believed."""
    library.index(docs)
    shutil.rmtree(docs)
    docs.mkdir()
    assert len(library.index(docs).removed) == 3
    assert (paths(library), library.search("crane")) == ([], [])
    assert not library.verify().damages


def _generation(library: Library) -> int:
    with library._open_reader().snapshot() as snapshot:
        return snapshot.generation
