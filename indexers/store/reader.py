"""Reading from an index: snapshots of one committed generation, from any number of threads and processes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from ragvl.errors import IndexDamagedError
from ragvl.indexers.store import contents
from ragvl.indexers.store.database import DATABASE_FILE, fetch, open_database, read_settings, translated
from ragvl.indexers.store.segments import SegmentRecord, VectorTable, load_segment
from ragvl.indexers.words import line_boxes, unpack_words
from ragvl.types import BlockKind, Document, DocumentStatus, Page, Passage, TextSource

logger = logging.getLogger(__name__)

_DOCUMENT = """
SELECT d.id, f.name, d.sha256, d.media_type, d.title, d.page_count, f.size_bytes, f.mtime_ns, d.status, d.reason
FROM documents d JOIN files f ON f.path = (SELECT min(path) FROM files WHERE document_id = d.id)
"""


@dataclass(frozen=True, slots=True)
class Vectors:
    """The text lane of one generation: all sound segments in one table, and which rows are alive."""

    table: VectorTable
    alive: NDArray[np.bool_]
    segment_ids: frozenset[int]
    damaged: tuple[str, ...]


class IndexReader:
    """Opens an index for reading; safe to use from several threads at once."""

    def __init__(self, folder: Path) -> None:
        """
        Open an index.

        Raises:
            IndexNotFoundError, IndexDamagedError, IndexMismatchError: see `ragvl.errors`.
        """
        self.folder = folder
        self._path = folder / DATABASE_FILE
        self._local = threading.local()
        self._opened: list[apsw.Connection] = []
        self._guard = threading.Lock()
        self._vectors: tuple[int, Vectors] | None = None
        with translated(self._path):
            self.settings = read_settings(self._connection())

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._guard:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
            self._local = threading.local()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Read from one committed generation until the block ends, whatever is written meanwhile."""
        with translated(self._path):
            connection = self._connection()
            if connection.in_transaction:  # a caller of this thread holds a snapshot already
                yield Snapshot(connection, self)
                return
            connection.execute("BEGIN")
            try:
                yield Snapshot(connection, self)
            finally:
                connection.execute("ROLLBACK")

    def vectors(self, connection: apsw.Connection) -> Vectors:
        """The vectors of the generation that the connection's transaction sees; kept until it changes."""
        generation = _generation(connection)
        with self._guard:
            if self._vectors is None or self._vectors[0] != generation:
                held = self._vectors[1] if self._vectors else None
                self._vectors = (generation, self._load(connection, held))
            return self._vectors[1]

    def _load(self, connection: apsw.Connection, held: Vectors | None) -> Vectors:
        records = contents.segments(connection)
        wanted = frozenset(record.id for record in records)
        grown = held is not None and held.segment_ids <= wanted and not held.damaged
        table = VectorTable(int(self.settings["text.dimension"]))
        if held is not None and grown:
            # Readers of the older generation may be searching the held table: never change it in place.
            table.extend(held.table)
            records = [record for record in records if record.id not in held.segment_ids]
        damaged = [note for record in records if (note := self._append(table, record))]
        alive = ~contents.is_dead(table.owners[:, 0], contents.tombstones(connection))
        return Vectors(table, alive, wanted, tuple(damaged))

    def _append(self, table: VectorTable, record: SegmentRecord) -> str:
        try:
            segment = load_segment(self.folder, record)
        except FileNotFoundError:
            note = f"{record.file} is missing: {record.vectors} passages are left out of the text lane"
        except IndexDamagedError as error:
            note = str(error)
        else:
            table.extend(segment)
            return ""
        logger.warning("%s", note)
        return note

    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = open_database(self.folder, writable=False)
            self._local.connection = connection
            with self._guard:
                self._opened.append(connection)
        return connection


class Snapshot:
    """One committed generation of an index; made by `IndexReader.snapshot`."""

    def __init__(self, connection: apsw.Connection, reader: IndexReader) -> None:
        self.connection = connection
        self._reader = reader

    @property
    def vectors(self) -> Vectors:
        """The text lane's vectors."""
        return self._reader.vectors(self.connection)

    @property
    def generation(self) -> int:
        """Number of this generation; every commit adds one."""
        return _generation(self.connection)

    def documents(self, ids: Iterable[int] | None = None) -> dict[int, Document]:
        """Documents by id, in the order of their paths; all of them when `ids` is None."""
        where, values = ("", ()) if ids is None else _among("d.id", ids)
        rows = fetch(self.connection, f"{_DOCUMENT} {where} ORDER BY f.name, d.id", values)
        return {row[0]: _document(row) for row in rows}

    def file_paths(self, document_id: int) -> list[bytes]:
        """Where a document lies, as the operating system spells it."""
        rows = fetch(
            self.connection, "SELECT path FROM files WHERE document_id = ? ORDER BY path", (document_id,)
        )
        return [row[0] for row in rows]

    def pages(self, ids: Iterable[int]) -> dict[int, Page]:
        """Pages by id."""
        where, values = _among("id", ids)
        rows = fetch(
            self.connection,
            f"SELECT id, document_id, number, width_pt, height_pt, text, text_source, words FROM pages {where}",
            values,
        )
        documents = self.documents({row[1] for row in rows})
        return {
            page_id: Page(
                page_id, documents[document_id], number, width, height, text, TextSource(source), words
            )
            for page_id, document_id, number, width, height, text, source, words in rows
        }

    def passages(self, page: Page) -> list[Passage]:
        """The passages of a page, in order, with their boxes."""
        words = unpack_words(page.words, page.width_pt, page.height_pt)
        rows = fetch(
            self.connection,
            'SELECT id, kind, heading, start, "end" FROM passages WHERE page_id = ? ORDER BY id',
            (page.id,),
        )
        return [
            Passage(
                passage_id,
                page.number,
                BlockKind(kind),
                heading,
                page.text[start:end],
                start,
                end,
                line_boxes(words, start, end),
            )
            for passage_id, kind, heading, start, end in rows
        ]


def _generation(connection: apsw.Connection) -> int:
    return int(fetch(connection, "SELECT value FROM settings WHERE key = 'generation'")[0][0])


def _document(row: tuple[Any, ...]) -> Document:
    document_id, name, sha256, media_type, title, page_count, size_bytes, mtime_ns, status, reason = row
    modified_at = datetime.fromtimestamp(mtime_ns / 1e9, tz=UTC)
    return Document(
        document_id,
        name,
        sha256,
        media_type,
        title,
        page_count,
        size_bytes,
        modified_at,
        DocumentStatus(status),
        reason,
    )


def _among(column: str, ids: Iterable[int]) -> tuple[str, tuple[int, ...]]:
    values = tuple(ids)
    return f"WHERE {column} IN ({','.join('?' * len(values))})", values
