"""
The SQLite database of an index: schema, connections whose pages carry checksums, errors in ragvl's words.

Every database page ends in a checksum that SQLite's checksum VFS writes and checks on each read
(https://sqlite.org/cksumvfs.html), so that a flipped bit is an error and never an answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw
import apsw.sqlite_extra

from ragvl.errors import (
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexNotFoundError,
    IndexWriteError,
)
from ragvl.indexers.analysis import TOKENIZER

DATABASE_FILE = "ragvl.db"
FORMAT_VERSION = 2
CHECKSUM_BYTES = 8
PAGE_BYTES = 4096
TERM_TABLES = ("document_terms", "page_terms", "passage_terms")
BUSY_TIMEOUT_MS = 10_000

_VFS = "cksmvfs"

SCHEMA = f"""
CREATE TABLE settings(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE documents(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL,              -- '' when the file was never read
    media_type TEXT NOT NULL,
    title TEXT NOT NULL,
    page_count INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE UNIQUE INDEX documents_content ON documents(sha256, media_type) WHERE sha256 != '';

CREATE TABLE files(                    -- where the documents lie; copies share one document
    path BLOB PRIMARY KEY,             -- as the operating system spells it
    name TEXT NOT NULL,                -- for people and filters
    document_id INTEGER NOT NULL REFERENCES documents(id),
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL           -- when the content was last read
) WITHOUT ROWID;
CREATE INDEX files_document ON files(document_id);

CREATE TABLE pages(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL REFERENCES documents(id),
    number INTEGER NOT NULL,
    width_pt REAL NOT NULL,
    height_pt REAL NOT NULL,
    text TEXT NOT NULL,
    text_source TEXT NOT NULL,
    language TEXT NOT NULL,            -- ISO 639-1; '' when it is not known
    words BLOB NOT NULL
);
CREATE UNIQUE INDEX pages_number ON pages(document_id, number);

CREATE TABLE passages(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    page_id INTEGER NOT NULL REFERENCES pages(id),
    kind TEXT NOT NULL,
    heading TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL
);
CREATE INDEX passages_page ON passages(page_id);

CREATE VIRTUAL TABLE page_terms USING fts5(
    body, context, content='', contentless_delete=1, tokenize='{TOKENIZER}'
);
CREATE VIRTUAL TABLE passage_terms USING fts5(
    body, context, content='', contentless_delete=1, tokenize='{TOKENIZER}'
);
CREATE VIRTUAL TABLE document_terms USING fts5(
    body, content='', contentless_delete=1, tokenize='{TOKENIZER}'
);

CREATE TABLE segments(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    file TEXT NOT NULL UNIQUE,         -- relative to the index folder
    sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    entries INTEGER NOT NULL           -- passages of the text lane, pages of the image lane
);

CREATE TABLE tombstones(               -- passages or pages that are gone while segments still hold them
    lane TEXT NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    PRIMARY KEY(lane, first_id)
) WITHOUT ROWID;
"""


def create_database(folder: Path, settings: dict[str, Any]) -> None:
    """
    Make an empty database in an index folder, in one transaction.

    Raises:
        IndexWriteError: the disk is full or failing.
    """
    path = folder / DATABASE_FILE
    with translated(path):
        connection = _connect(str(path), apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
        try:
            connection.reserve_bytes("main", CHECKSUM_BYTES)
            connection.pragma("page_size", PAGE_BYTES)
            connection.execute("BEGIN")
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            write_settings(connection, {"format_version": FORMAT_VERSION, "generation": 0, **settings})
            connection.execute("COMMIT")
            connection.pragma("journal_mode", "wal")
        finally:
            connection.close()


def open_database(folder: Path, *, writable: bool) -> apsw.Connection:
    """
    Connect to the database of an index.

    Raises:
        IndexNotFoundError: there is none.
        IndexMismatchError: a newer ragvl wrote it.
        IndexDamagedError: it fails its checksums.
    """
    path = folder / DATABASE_FILE
    if not path.is_file():
        raise no_index(folder)
    with translated(path):
        if not writable and _is_on_read_only_disk(folder):
            # No writer can be there, and SQLite could not make the files by which it would notice one.
            uri = f"file:{quote(str(path))}?immutable=1"
            connection = _connect(uri, apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        else:
            # Readers open for writing too: they must be able to recover the log of a writer that died.
            connection = _connect(str(path), apsw.SQLITE_OPEN_READWRITE)
        try:
            if not writable:
                connection.pragma("query_only", True)
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def fetch(connection: apsw.Connection, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query; SQLite's columns have no types that a checker could know."""
    return connection.execute(sql, values).fetchall()


def read_settings(connection: apsw.Connection) -> dict[str, Any]:
    """Everything that the index records about itself."""
    return {
        str(key): json.loads(str(value))
        for key, value in connection.execute("SELECT key, value FROM settings")
    }


def write_settings(connection: apsw.Connection, settings: dict[str, Any]) -> None:
    """Record settings, replacing those of the same name."""
    rows = [(key, json.dumps(value)) for key, value in settings.items()]
    connection.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", rows)


def delete_setting(connection: apsw.Connection, name: str) -> None:
    """Forget a setting, if it is there."""
    connection.execute("DELETE FROM settings WHERE key = ?", (name,))


def checksum_checker() -> Callable[[bytes], bool]:
    """A function that tells whether the bytes of one database page match the checksum they end in."""
    _load_checksum_vfs()
    connection = apsw.Connection(":memory:", vfs=_VFS)

    def checked(page: bytes) -> bool:
        return bool(fetch(connection, "SELECT verify_checksum(?)", (page,))[0][0])

    return checked


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ragvl's, naming the file and the remedy."""
    try:
        yield
    except apsw.IOError as error:
        if _extended_code(error) in _CHECKSUM_FAILURES:
            raise damaged(path) from error
        if _extended_code(error) in _READ_FAILURES:
            raise IndexDamagedError(f"{path} cannot be read: {error}; check the disk") from error
        raise IndexWriteError(f"cannot write {path}: {error}. {_INTACT}") from error
    except apsw.FullError as error:
        raise IndexWriteError(f"cannot write {path}: the disk is full. {_INTACT}") from error
    except apsw.ReadOnlyError as error:
        raise IndexWriteError(f"cannot write {path}: it is read-only") from error
    except apsw.BusyError as error:
        raise IndexLockedError(
            f"another process keeps {path} to itself; wait until it has finished or stop it"
        ) from error
    except apsw.CantOpenError as error:
        raise IndexWriteError(f"cannot open {path}: {error}; check its permissions") from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise damaged(path) from error


def no_index(folder: Path) -> IndexNotFoundError:
    """The error for a folder without a database."""
    return IndexNotFoundError(f"no index at {folder}: run `ragvl index PATH` first, or name it with --index")


def damaged(path: Path) -> IndexDamagedError:
    """The error for a database whose pages do not match their checksums."""
    return IndexDamagedError(
        f"{path} is damaged: its content does not match its checksums. Nothing was deleted. Restore it from a "
        "backup, or move the index folder away and run `ragvl index` again; the documents are not touched."
    )


_CHECKSUM_FAILURES = {apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS}
_READ_FAILURES = {apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ}
_INTACT = (
    "The index is as it was before this batch; free some space or check the disk, then run the command again."
)


def _is_on_read_only_disk(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _connect(name: str, flags: int) -> apsw.Connection:
    _load_checksum_vfs()
    connection = apsw.Connection(name, flags=flags, vfs=_VFS)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.pragma("synchronous", "full")
    connection.pragma("foreign_keys", True)
    connection.pragma("temp_store", "memory")
    return connection


@lru_cache(maxsize=1)
def _load_checksum_vfs() -> None:
    with apsw.Connection(":memory:") as loader:
        apsw.sqlite_extra.load(loader, "cksumvfs")


def _check(connection: apsw.Connection, path: Path) -> None:
    # Without the reserved bytes SQLite would check nothing at all; a flip in that header byte must not pass.
    if connection.reserve_bytes("main") != CHECKSUM_BYTES:
        raise damaged(path)
    try:
        found = read_settings(connection)
    except (apsw.SQLError, json.JSONDecodeError) as error:
        raise damaged(path) from error
    version = found.get("format_version")
    if version != FORMAT_VERSION:
        raise IndexMismatchError(
            f"{path.parent}: format_version is {version}, this ragvl reads {FORMAT_VERSION}. "
            "Upgrade ragvl, or make a new index with --index."
        )


def _extended_code(error: apsw.IOError) -> int:
    code: int = getattr(error, "extendedresult", 0)  # apsw's stubs do not know it
    return code
