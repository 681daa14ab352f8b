"""The database: made whole, opened by its own version only, checked on each read."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from ragvl.errors import (
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexNotFoundError,
    IndexWriteError,
)
from ragvl.indexers.store import database
from ragvl.indexers.store.database import (
    DATABASE_FILE,
    PAGE_BYTES,
    checksum_checker,
    create_database,
    fetch,
    open_database,
    read_settings,
    translated,
    write_settings,
)
from ragvl.indexers.store.reader import IndexReader
from tests.reliability.harness import open_library, open_writer


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    """Numbers, texts and truth keep their types."""
    settings = {"text.dimension": 64, "text.encoder": "hash", "reading.ocr.pages": True, "share": 0.04}
    create_database(tmp_path, settings)
    connection = open_database(tmp_path, writable=False)
    assert read_settings(connection) == {"format_version": 2, "generation": 0, **settings}
    connection.close()


def test_every_page_has_a_checksum(tmp_path: Path) -> None:
    """Each page of a new database passes, and none passes with a bit flipped."""
    create_database(tmp_path, {})
    content = (tmp_path / DATABASE_FILE).read_bytes()
    checked = checksum_checker()
    pages = [content[start : start + PAGE_BYTES] for start in range(0, len(content), PAGE_BYTES)]
    assert all(checked(page) for page in pages)
    assert not any(checked(page[:50] + bytes([page[50] ^ 1]) + page[51:]) for page in pages)
    assert not checked(pages[0][:-1])


def test_readers_cannot_write(index: Path) -> None:
    """A connection for reading refuses to change anything."""
    connection = open_database(index, writable=False)
    with pytest.raises(IndexWriteError, match="read-only"), translated(index / DATABASE_FILE):
        connection.execute("DELETE FROM files")
    connection.close()


def test_no_index_is_said_with_the_remedy(tmp_path: Path) -> None:
    """Opening nothing makes nothing."""
    with pytest.raises(IndexNotFoundError, match="ragvl index PATH"):
        open_database(tmp_path, writable=True)
    assert list(tmp_path.iterdir()) == []


def test_a_newer_format_is_refused(index: Path) -> None:
    """By readers and writers, with both versions and the remedy."""
    connection = open_database(index, writable=True)
    write_settings(connection, {"format_version": 3})
    connection.close()
    for opened in (IndexReader, open_writer):
        with pytest.raises(IndexMismatchError, match="format_version is 3, this ragvl reads 2. Upgrade"):
            opened(index)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 300, bytes(8192)])
def test_another_file_in_its_place_is_damage(tmp_path: Path, content: bytes) -> None:
    """An empty, foreign or zeroed file is never taken for an index."""
    (tmp_path / DATABASE_FILE).write_bytes(content)
    with pytest.raises(IndexDamagedError, match="Nothing was deleted"):
        open_database(tmp_path, writable=False)


@pytest.mark.parametrize("kept", [50, PAGE_BYTES, PAGE_BYTES * 3 + 100])
def test_a_truncated_file_is_damage(index: Path, kept: int) -> None:
    """The header says how long the file is."""
    path = index / DATABASE_FILE
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(IndexDamagedError), IndexReader(index).snapshot() as snapshot:
        fetch(snapshot.connection, "PRAGMA integrity_check")


def test_a_flip_of_the_checksum_switch_is_damage(index: Path) -> None:
    """The one byte of the header that says whether pages have checksums cannot switch them off."""
    path = index / DATABASE_FILE
    content = bytearray(path.read_bytes())
    content[20] ^= 8
    path.write_bytes(content)
    with pytest.raises(IndexDamagedError):
        open_database(index, writable=False)


def test_a_database_without_checksums_is_refused(tmp_path: Path) -> None:
    """A file that SQLite can read is no index when nothing protects its pages."""
    plain = apsw.Connection(str(tmp_path / DATABASE_FILE))
    plain.execute("CREATE TABLE settings(key, value); INSERT INTO settings VALUES ('format_version', '1')")
    plain.close()
    with pytest.raises(IndexDamagedError):
        open_database(tmp_path, writable=False)


def test_a_database_that_is_kept_by_others_is_said(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program's lock becomes an error with a remedy, not a traceback of SQLite."""
    monkeypatch.setattr("ragvl.indexers.store.database.BUSY_TIMEOUT_MS", 1)
    other = apsw.Connection(str(index / DATABASE_FILE))
    other.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(IndexLockedError, match="another process"),
        open_writer(index) as writer,
        writer.batch(),
    ):
        pass
    other.close()


def test_a_read_only_disk_can_be_searched(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own way would need to make files beside the database; damage is noticed all the same."""
    folder = index.rename(index.with_name("odd ?#%20 name"))
    before = sorted(folder.rglob("*"))
    monkeypatch.setattr(database, "_is_on_read_only_disk", lambda folder: True)
    with open_library(folder) as library:
        assert library.search("crane")[0].page.document.path == "crane.txt"
        assert sorted(folder.rglob("*")) == before
        assert not library.verify().damages
    path = folder / DATABASE_FILE
    path.write_bytes(path.read_bytes()[:5000] + bytes(PAGE_BYTES) + path.read_bytes()[5000 + PAGE_BYTES :])
    with pytest.raises(IndexDamagedError):
        IndexReader(folder)
