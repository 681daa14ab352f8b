"""Reading: snapshots of one generation, from threads, while a writer commits and merges."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ragvl.errors import IndexNotFoundError
from ragvl.indexers.store import reader as reader_module
from ragvl.indexers.store.reader import IndexReader
from ragvl.indexers.store.writer import IndexWriter
from tests.reliability.harness import open_writer, put


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- names only


def _merge_all(folder: Path) -> None:
    with open_writer(folder) as writer:
        writer.rewrite(writer.segments())


def test_a_snapshot_does_not_change(index: Path) -> None:
    """What is committed meanwhile is not seen, in no table and in no segment; the next snapshot sees all of it."""
    reader = IndexReader(index)
    with reader.snapshot() as snapshot:
        generation, documents = snapshot.generation, snapshot.documents()
        with open_writer(index) as writer, writer.batch() as batch:
            put(batch, "new.txt", "a gale")
            batch.drop_file(b"tide.txt")
        assert (snapshot.generation, snapshot.documents()) == (generation, documents)
        assert (len(snapshot.vectors.table), snapshot.vectors.alive.all()) == (3, True)
    with reader.snapshot() as snapshot:
        assert snapshot.generation == generation + 1
        names = [document.path for document in snapshot.documents().values()]
        assert names == ["crane.txt", "new.txt", "storm.txt"]
        assert snapshot.vectors.alive.tolist() == [True, False, True, True]
    reader.close()


def test_a_snapshot_keeps_segments_that_a_merge_removes(
    index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The files are gone from the folder before the vectors are first asked for; they are found all the same."""
    reader = IndexReader(index)
    with reader.snapshot() as snapshot:
        _merge_all(index)
        assert len(list(index.rglob("*.seg"))) == 1
        assert (len(snapshot.vectors.table), snapshot.vectors.damaged) == (3, ())
    with reader.snapshot() as snapshot:
        assert (len(snapshot.vectors.table), snapshot.vectors.damaged) == (3, ())
    reader.close()
    assert not caplog.records


def test_a_merge_between_beginning_and_opening_begins_again(
    index: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A snapshot whose files went at the very moment is of the next generation instead, and whole."""
    original = reader_module.contents.segments
    merges = iter([True])

    def merge_first(connection: object) -> object:
        records = original(connection)  # type: ignore[arg-type]
        if next(merges, False):
            _merge_all(index)
        return records

    reader = IndexReader(index)
    monkeypatch.setattr(reader_module.contents, "segments", merge_first)
    with reader.snapshot() as snapshot:
        assert snapshot.generation == 4
        assert (len(snapshot.vectors.table), snapshot.vectors.damaged) == (3, ())
    reader.close()
    assert not caplog.records


def test_a_lost_segment_is_named_and_the_rest_answers(index: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is missing in the newest generation is damage: told, left out, and no endless waiting."""
    lost = min(index.rglob("*.seg"))
    lost.unlink()
    reader = IndexReader(index)
    with reader.snapshot() as snapshot:
        assert len(snapshot.vectors.table) == 2
        (note,) = snapshot.vectors.damaged
    assert lost.name in note
    assert "verify --repair" in caplog.text
    reader.close()


def test_vectors_grow_by_what_is_new(index: Path) -> None:
    """Unchanged segments are kept in memory; an older table is never changed under its readers."""
    reader = IndexReader(index)
    with reader.snapshot() as snapshot:
        first = snapshot.vectors
        assert snapshot.vectors is first
    with open_writer(index) as writer, writer.batch() as batch:
        batch.drop_file(b"tide.txt")
    with reader.snapshot() as snapshot:
        second = snapshot.vectors
    assert second.table is first.table
    assert (first.alive.sum(), second.alive.sum()) == (3, 2)
    with open_writer(index) as writer, writer.batch() as batch:
        put(batch, "new.txt", "a gale")
    with reader.snapshot() as snapshot:
        third = snapshot.vectors
    assert (len(first.table), len(third.table)) == (3, 4)
    assert np.array_equal(third.table.owners[:3], first.table.owners)
    reader.close()


def test_an_older_snapshot_does_not_push_out_newer_vectors(index: Path) -> None:
    """Two threads on two generations each get theirs; the newer is kept."""
    reader = IndexReader(index)
    began, committed = threading.Event(), threading.Event()

    def read_old() -> int:
        with reader.snapshot() as snapshot:
            began.set()
            assert committed.wait(10)
            return len(snapshot.vectors.table)

    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(read_old)
        assert began.wait(10)
        with open_writer(index) as writer, writer.batch() as batch:
            put(batch, "new.txt", "a gale")
        with reader.snapshot() as snapshot:
            newest = snapshot.vectors
        committed.set()
        assert (old.result(), len(newest.table)) == (3, 4)
    with reader.snapshot() as snapshot:
        assert snapshot.vectors is newest
    reader.close()


def test_snapshots_nest(index: Path) -> None:
    """A snapshot inside a snapshot of the same thread is the same one."""
    reader = IndexReader(index)
    with reader.snapshot() as outer:
        with reader.snapshot() as inner:
            assert inner is outer
        assert outer.documents()
    reader.close()


def test_an_error_inside_ends_the_snapshot(index: Path) -> None:
    """The connection is of use again afterwards."""
    reader = IndexReader(index)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="stop"), reader.snapshot():
            raise RuntimeError("stop")
    with reader.snapshot() as snapshot:
        assert len(snapshot.documents()) == 3
    reader.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_threads_that_end_leave_no_files_open(index: Path) -> None:
    """A server that answers each request in a thread of its own does not run out of files."""
    reader = IndexReader(index)

    def look() -> None:
        with reader.snapshot() as snapshot:
            assert len(snapshot.vectors.table) == 3

    look()
    before = _open_files()
    for _ in range(20):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert _open_files() == before
    reader.close()
    assert _open_files() < before


def test_closing_waits_for_nobody_and_breaks_nobody(index: Path) -> None:
    """A snapshot that is open while another thread closes the reader goes on to its end."""
    reader = IndexReader(index)
    with reader.snapshot() as snapshot:
        reader.close()
        assert len(snapshot.documents()) == 3
        assert len(snapshot.vectors.table) == 3
    reader.close()


def test_threads_see_whole_generations(index: Path) -> None:
    """While a writer commits pairs, merges and removes, every snapshot of every thread holds pairs only."""
    reader = IndexReader(index)
    stop = threading.Event()

    def look() -> int:
        looks = 0
        while not stop.is_set():
            with reader.snapshot() as snapshot:
                names = [document.path for document in snapshot.documents().values()]
                vectors = snapshot.vectors
            pairs = [name.partition("-")[2] for name in names if "-" in name]
            assert all(pairs.count(pair) == 2 for pair in pairs)
            assert vectors.alive.sum() == len(names)
            assert not vectors.damaged
            looks += 1
        return looks

    with ThreadPoolExecutor(3) as pool:
        threads = [pool.submit(look) for _ in range(3)]
        _write_pairs(index)
        stop.set()
        assert all(thread.result() > 0 for thread in threads)
    reader.close()


def _write_pairs(folder: Path) -> None:
    with open_writer(folder) as writer:
        for number in range(30):
            with writer.batch() as batch:
                for half in ("left", "right"):
                    put(batch, f"{half}-{number}", f"pair {number} {half}")
                    if number > 10:
                        batch.drop_file(f"{half}-{number - 10}".encode())
            if number % 5 == 4:
                writer.tidy()
        writer.compact()


def test_any_number_of_documents_can_be_asked_for(index: Path) -> None:
    """More ids than SQLite takes parameters."""
    reader = IndexReader(index)
    with reader.snapshot() as snapshot:
        assert len(snapshot.documents(range(1, 50_000))) == 3
        assert len(snapshot.pages(range(1, 50_000))) == 3
    reader.close()


def test_a_folder_without_an_index_is_said(tmp_path: Path) -> None:
    """Reading makes nothing."""
    with pytest.raises(IndexNotFoundError):
        IndexReader(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_dead_writers_log_is_read(index: Path, tmp_path: Path) -> None:
    """What a killed process had committed to the log is there for the next reader."""
    writer = IndexWriter(index)
    writer._connection.pragma("wal_autocheckpoint", 0)
    writer._fold_log = lambda: None  # type: ignore[method-assign]
    with writer.batch() as batch:
        put(batch, "new.txt", "a gale")
    copy = tmp_path / "copy"
    _copy_as_after_a_crash(index, copy)
    writer.close()
    reader = IndexReader(copy)
    with reader.snapshot() as snapshot:
        assert len(snapshot.documents()) == 4
        assert len(snapshot.vectors.table) == 4
    reader.close()


def _copy_as_after_a_crash(folder: Path, copy: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.endswith("-shm"):
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
