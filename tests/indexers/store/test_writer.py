"""Writing: batches are whole or nothing, ids are never used again, vectors outlive renames and merges."""

from __future__ import annotations

import logging
from pathlib import Path

import apsw
import pytest

from ragvl.errors import IndexDamagedError, IndexLockedError, IndexNotFoundError
from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import IndexReader
from ragvl.indexers.store.verify import verify_index
from ragvl.indexers.store.writer import IndexWriter
from ragvl.types import DocumentStatus
from tests.reliability.harness import ENCODER, make_draft, make_file, open_library, open_writer, put, results

QUERIES = ("crane", "tide at the pier", "pilot", "tonnes storm table")


def _found(folder: Path) -> list[list[tuple[str, int, float]]]:
    with open_library(folder) as library:
        return results(library, QUERIES)


def _count(folder: Path, sql: str) -> int:
    reader = IndexReader(folder)
    with reader.snapshot() as snapshot:
        count: int = fetch(snapshot.connection, sql)[0][0]
    reader.close()
    return count


def _segment_files(folder: Path) -> list[Path]:
    return sorted((folder / "segments").rglob("*.seg"))


def test_what_is_put_is_found(index: Path) -> None:
    """Documents, pages, boxes and passages come back as they were read."""
    with open_library(index) as library:
        (hit, *_) = library.search("how many tonnes does the crane lift")
    draft = make_draft("The harbour crane lifts forty tonnes.")
    assert (hit.page.document.path, hit.page.document.sha256) == ("crane.txt", draft.sha256)
    assert (hit.page.text, hit.page.width_pt, hit.page.number) == (draft.pages[0].text, 595.0, 1)
    assert sorted(lane.lane for lane in hit.lanes) == ["lexical", "text"]
    (passage,) = hit.passages
    assert passage.text == hit.page.text[passage.start : passage.end]
    ((x0, y0, _, _),) = passage.boxes_pt
    assert (round(x0), round(y0)) == (72, 72)


def test_a_closed_index_is_tidy(index: Path) -> None:
    """No log is left, the lock names nobody, and nothing else lies about."""
    names = {str(path.relative_to(index)) for path in index.rglob("*") if path.is_file()}
    assert {name for name in names if not name.startswith("segments/text/")} == {"ragvl.db", "writer.lock"}
    assert (index / "writer.lock").read_bytes() == b""
    assert len(_segment_files(index)) == 3
    assert not verify_index(index).damages


def test_the_log_is_empty_after_each_batch(tmp_path: Path) -> None:
    """What a damaged log could cost is bounded by one batch, even when the writer is killed later."""
    with open_writer(tmp_path) as writer:
        for number in range(3):
            with writer.batch() as batch:
                put(batch, f"{number}.txt", f"text {number}")
            assert (tmp_path / "ragvl.db-wal").stat().st_size == 0


def test_a_batch_that_raises_leaves_nothing(index: Path) -> None:
    """An error inside the block undoes all of it."""
    before = _found(index)
    with open_writer(index) as writer:
        with pytest.raises(RuntimeError, match="stop"), writer.batch() as batch:
            put(batch, "new.txt", "The crane has a new rope.")
            batch.drop_file(b"tide.txt")
            raise RuntimeError("stop")
        with pytest.raises(ValueError, match="1 passages but 0 vectors"), writer.batch() as batch:
            batch.put_document(make_draft("one"), ENCODER.encode_passages([]))
        with writer.batch() as batch:
            put(batch, "later.txt", "gale")
    with open_writer(index) as writer:
        assert set(writer.files()) == {b"crane.txt", b"tide.txt", b"storm.txt", b"later.txt"}
        with writer.batch() as batch:
            batch.drop_file(b"later.txt")
    assert _found(index) == before
    assert not verify_index(index).damages


def test_each_commit_is_a_generation(index: Path) -> None:
    """Three batches, generation three."""
    assert _count(index, "SELECT value FROM settings WHERE key = 'generation'") == "3"


def test_removing_leaves_a_tombstone_and_nothing_to_find(index: Path) -> None:
    """A document goes with its pages, terms and passages; its vectors stay in the segment, dead."""
    with open_writer(index) as writer, writer.batch() as batch:
        batch.drop_file(b"crane.txt")
    assert all(path != "crane.txt" for hits in _found(index) for path, _, _ in hits)
    assert _count(index, "SELECT count(*) FROM tombstones") == 1
    assert [
        _count(index, f"SELECT count(*) FROM {table}") for table in ("documents", "pages", "passages")
    ] == [
        2,
        2,
        2,
    ]
    assert len(_segment_files(index)) == 3
    assert not verify_index(index).damages


def test_ids_are_never_used_again(index: Path) -> None:
    """A document that comes after others have gone gets ids that none ever had."""
    with open_writer(index) as writer:
        with writer.batch() as batch:
            for name in ("crane.txt", "tide.txt", "storm.txt"):
                batch.drop_file(name.encode())
        writer.compact()
        with writer.batch() as batch:
            assert put(batch, "crane.txt", "The harbour crane lifts forty tonnes.") == 4
    with open_library(index) as library:
        (hit,) = library.search("crane")
    assert (hit.page.document.id, hit.page.id, hit.passages[0].id) == (4, 4, 4)


def test_a_rename_keeps_the_vectors(index: Path) -> None:
    """Only the name changes: no segment is written, and the new name is what is searched."""
    before = _segment_files(index)
    with open_writer(index) as writer:
        held = writer.files()[b"crane.txt"]
        with writer.batch() as batch:
            batch.put_file(make_file("hoist.txt", held.document_id))
            batch.drop_file(b"crane.txt")
    assert _segment_files(index) == before
    with open_library(index) as library:
        assert [document.path for document in library.documents()] == ["hoist.txt", "storm.txt", "tide.txt"]
        assert library.search("hoist")[0].page.document.path == "hoist.txt"
    assert not verify_index(index).damages


def test_copies_share_a_document(index: Path) -> None:
    """A document goes with the last of its files, not before."""
    with open_writer(index) as writer:
        document_id = writer.files()[b"crane.txt"].document_id
        with writer.batch() as batch:
            batch.put_file(make_file("copy.txt", document_id))
        with writer.batch() as batch:
            batch.drop_file(b"crane.txt")
        assert writer.files()[b"copy.txt"].document_id == document_id
        assert _count(index, "SELECT count(*) FROM documents") == 3
        with writer.batch() as batch:
            batch.drop_file(b"copy.txt")
    assert _count(index, "SELECT count(*) FROM documents") == 2


def test_a_document_that_no_file_holds_does_not_stay(index: Path) -> None:
    """Its vectors are dead on arrival."""
    with open_writer(index) as writer, writer.batch() as batch:
        batch.put_document(make_draft("nobody's text"), ENCODER.encode_passages(["nobody's text"]))
    assert _count(index, "SELECT count(*) FROM documents") == 3
    assert not verify_index(index).damages


def test_a_new_reading_takes_over_the_files(index: Path) -> None:
    """`replaces` hands all files of the old reading to the new one, which may have the same content."""
    with open_writer(index) as writer:
        document_id = writer.files()[b"crane.txt"].document_id
        with writer.batch() as batch:
            batch.put_file(make_file("copy.txt", document_id))
        draft = make_draft("The harbour crane lifts forty tonnes.", status=DocumentStatus.PARTIAL)
        with writer.batch() as batch:
            vectors = ENCODER.encode_passages(["The harbour crane lifts forty tonnes."])
            new_id = batch.put_document(draft, vectors, replaces=document_id)
        assert {path for path, file in writer.files().items() if file.document_id == new_id} == {
            b"crane.txt",
            b"copy.txt",
        }
        assert writer.document_with(draft.sha256, "text/plain") == new_id
        assert writer.documents_with_status([DocumentStatus.PARTIAL]) == {new_id}
        assert writer.status_of(new_id).status is DocumentStatus.PARTIAL
    assert not verify_index(index).damages


def test_many_small_segments_become_one(tmp_path: Path) -> None:
    """Merging finds the same, with the same scores, and the merged files are gone."""
    with open_writer(tmp_path) as writer:
        for number in range(9):
            with writer.batch() as batch:
                put(batch, f"{number}.txt", f"The crane lifts {number} tonnes at the pier.")
        before = _found(tmp_path)
        writer.merge()
        assert len(_segment_files(tmp_path)) == 9
        writer.tidy()
        assert len(_segment_files(tmp_path)) == 1
    assert _found(tmp_path) == before
    assert not verify_index(tmp_path).damages


def test_a_long_run_does_not_pile_up_segments(tmp_path: Path) -> None:
    """Readers open every segment: a run of many batches merges as it goes."""
    with open_writer(tmp_path) as writer:
        for number in range(12):
            with writer.batch() as batch:
                put(batch, f"{number}.txt", f"text {number}")
            writer.merge(most=5)
            assert len(_segment_files(tmp_path)) <= 6


def test_worn_segments_are_rewritten(tmp_path: Path) -> None:
    """Past a third of dead vectors a segment is rewritten; below, it is left alone."""
    with open_writer(tmp_path) as writer:
        with writer.batch() as batch:
            for number in range(10):
                put(batch, f"{number}.txt", f"text {number}")
        (first,) = _segment_files(tmp_path)
        for number in range(3):
            with writer.batch() as batch:
                batch.drop_file(f"{number}.txt".encode())
        writer.tidy()
        assert _segment_files(tmp_path) == [first]
        with writer.batch() as batch:
            batch.drop_file(b"3.txt")
        writer.tidy()
        assert _segment_files(tmp_path) != [first]
        assert [record.entries for record in writer.segments()] == [6]
    assert _count(tmp_path, "SELECT count(*) FROM tombstones") == 0
    assert not verify_index(tmp_path).damages


def test_compacting_gives_space_back(tmp_path: Path) -> None:
    """What is found stays; the files shrink; again it changes nothing."""
    with open_writer(tmp_path) as writer:
        for number in range(60):
            with writer.batch() as batch:
                put(batch, f"{number}.txt", f"The crane {number} " + f"word{number} " * 200)
        with writer.batch() as batch:
            for number in range(50):
                batch.drop_file(f"{number}.txt".encode())
        before = _found(tmp_path)
        size_bytes = (tmp_path / "ragvl.db").stat().st_size
        writer.compact()
        assert (tmp_path / "ragvl.db").stat().st_size < size_bytes / 2
        assert len(_segment_files(tmp_path)) == 1
        kept = _segment_files(tmp_path)
        writer.compact()
        assert _segment_files(tmp_path) == kept
    assert _found(tmp_path) == before
    assert not verify_index(tmp_path).damages


def test_compacting_works_under_readers(index: Path) -> None:
    """A reader that holds a generation delays nothing and keeps what it sees."""
    reader = IndexReader(index)
    with reader.snapshot() as snapshot:
        held = snapshot.documents()
        with open_writer(index) as writer:
            with writer.batch() as batch:
                batch.drop_file(b"crane.txt")
            writer.compact()
        assert snapshot.documents() == held
        assert len(snapshot.vectors.table) == 3
    with reader.snapshot() as snapshot:
        assert len(snapshot.vectors.table) == 2
    reader.close()


def test_an_emptied_index_is_sound(index: Path) -> None:
    """Nothing in it, no segments, no tombstones."""
    with open_writer(index) as writer:
        with writer.batch() as batch:
            for path in writer.files():
                batch.drop_file(path)
        writer.tidy()
    assert (_segment_files(index), _found(index)) == ([], [[], [], [], []])
    assert _count(index, "SELECT count(*) FROM tombstones") == 0
    assert not verify_index(index).damages


def test_files_of_a_crash_are_swept(index: Path) -> None:
    """Segments that no commit names, and halves of files, go when the index is next opened for writing."""
    named = _segment_files(index)
    (index / "segments" / "text" / "orphan.seg").write_bytes(b"x")
    (index / "segments" / "text" / "orphan.seg.12345678.part").write_bytes(b"x")
    open_writer(index).close()
    assert _segment_files(index) == named
    assert not list(index.rglob("*.part"))


def test_a_half_made_index_is_made_again(tmp_path: Path) -> None:
    """A crash while the database was being made leaves nothing that counts."""
    left = tmp_path / "creating"
    left.mkdir()
    (left / "ragvl.db").write_bytes(b"half")
    (left / "ragvl.db-journal").write_bytes(b"half")
    open_writer(tmp_path).close()
    assert {path.name for path in tmp_path.iterdir()} == {"ragvl.db", "writer.lock"}


def test_a_damaged_segment_stops_no_writing(index: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Tidying leaves it alone, for it is kept as evidence; compacting says what to do."""
    damaged = _segment_files(index)[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with open_writer(index) as writer:
        for number in range(9):
            with writer.batch() as batch:
                put(batch, f"{number}.txt", f"text {number}")
        with writer.batch() as batch:
            batch.drop_file(b"storm.txt")
            batch.drop_file(b"crane.txt")
        writer.tidy()
        with pytest.raises(IndexDamagedError, match="verify --repair"):
            writer.compact()
    assert damaged in _segment_files(index)
    assert len(_segment_files(index)) < 12


def test_a_log_that_cannot_be_folded_is_told(
    index: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit is durable in the log: a disk that is full afterwards is a warning, not a failed commit."""

    class Full:
        def __init__(self, connection: apsw.Connection) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> object:
            return getattr(self._connection, name)

        def wal_checkpoint(self, **mode: int) -> None:
            raise apsw.FullError("full")

    writer = open_writer(index)
    monkeypatch.setattr(writer, "_connection", Full(writer._connection))
    with caplog.at_level(logging.WARNING), writer.batch() as batch:
        put(batch, "new.txt", "a gale from the west")
    assert "cannot be brought up to date" in caplog.text
    with open_library(index) as library:
        assert library.search("gale")[0].page.document.path == "new.txt"
    writer.close()


def test_nothing_is_made_where_no_index_is(tmp_path: Path) -> None:
    """A writer without settings only opens what is there."""
    with pytest.raises(IndexNotFoundError):
        IndexWriter(tmp_path / "typo")
    assert list(tmp_path.iterdir()) == []


def test_the_lock_is_given_back_when_opening_fails(index: Path) -> None:
    """A writer that could not open the database does not shut out the next one."""
    path = index / "ragvl.db"
    content = path.read_bytes()
    path.write_bytes(b"x" * len(content))
    for _ in range(2):
        with pytest.raises(IndexDamagedError):
            open_writer(index)
    path.write_bytes(content)
    with open_writer(index), pytest.raises(IndexLockedError):
        open_writer(index)
