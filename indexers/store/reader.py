"""Reading from an index: snapshots of one committed generation, from any number of threads and processes."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

import apsw

from ragvl.indexers.store import contents
from ragvl.indexers.store.database import DATABASE_FILE, fetch, open_database, read_settings, translated
from ragvl.indexers.store.forms import lane_forms
from ragvl.indexers.store.lanes import LaneView, SegmentFile, Vectors
from ragvl.indexers.store.segments import IMAGE_LANE, TEXT_LANE, SegmentRecord, open_segment
from ragvl.indexers.words import line_boxes
from ragvl.types import BlockKind, Document, DocumentStatus, Page, Passage, TextSource

logger = logging.getLogger(__name__)

_DOCUMENT = """
SELECT d.id, f.name, d.sha256, d.media_type, d.title, d.page_count, f.size_bytes, f.mtime_ns, d.status, d.reason
FROM documents d JOIN files f ON f.path = (SELECT min(path) FROM files WHERE document_id = d.id)
"""


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
        self._guard = threading.Lock()
        self._loading = threading.Lock()
        self._idle: list[apsw.Connection] = []
        self._closed = False
        self._views: dict[str, LaneView] = {}
        with translated(self._path), self._connection() as connection:
            self.settings = read_settings(connection)
            self.forms = lane_forms(self.settings)

    def close(self) -> None:
        """Close the connections; those that a snapshot uses close with it."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Read from one committed generation until the block ends, whatever is written meanwhile."""
        held: Snapshot | None = getattr(self._local, "snapshot", None)
        if held is not None:  # a caller of this thread has one already
            yield held
            return
        with translated(self._path), self._connection() as connection:
            snapshot = self._begin(connection)
            self._local.snapshot = snapshot
            try:
                yield snapshot
            finally:
                self._local.snapshot = None
                snapshot.close_files()

    def view(self, snapshot: Snapshot, lane: str) -> LaneView:
        """One lane as a snapshot sees it; that of the newest generation asked for is kept."""
        with self._loading:
            kept = self._views.get(lane)
            if kept is None or kept.generation != snapshot.generation:
                loaded = self._load(snapshot, lane)
                if kept is None or kept.generation < loaded.generation:
                    self._views[lane] = loaded
                return loaded
            return kept

    def _load(self, snapshot: Snapshot, lane: str) -> LaneView:
        dead = contents.tombstones(snapshot.connection, lane)
        segments = [segment for segment in snapshot.segment_files if segment[0].lane == lane]
        known, ids = snapshot.known.get(lane), snapshot.segment_ids[lane]
        view: LaneView = self.forms[lane].load(known, segments, snapshot.generation, ids, dead)
        for damage in view.damaged:
            logger.warning("%s", damage)
        return view

    def _begin(self, connection: apsw.Connection) -> Snapshot:
        """
        Begin a snapshot that has all its segments open.

        Between the two a merge may be committed and take away a segment's file: then there is a newer generation.
        Where there is none, the file is lost.
        """
        without_a_file = -1
        while True:
            connection.execute("BEGIN")
            snapshot = Snapshot(connection, self, dict(self._views))
            if snapshot.has_all_files or snapshot.generation == without_a_file:
                return snapshot
            without_a_file = snapshot.generation
            snapshot.close_files()
            connection.execute("ROLLBACK")

    @contextmanager
    def _connection(self) -> Iterator[apsw.Connection]:
        """A connection that no other thread uses meanwhile."""
        with self._guard:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = open_database(self.folder, writable=False)
        try:
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            with self._guard:
                closed = self._closed
                if not closed:
                    self._idle.append(connection)
            if closed:
                connection.close()


class Snapshot:
    """
    One committed generation of an index; made by `IndexReader.snapshot`.

    Attributes:
        connection: in a transaction, for queries.
        generation: its number; every commit adds one.
        known: views of another generation that this one's lanes are an extension of, if there are any in memory.
        segment_ids: all segments of this generation, by lane.
        segment_files: those that are not in `known`, open.
    """

    def __init__(self, connection: apsw.Connection, reader: IndexReader, known: dict[str, LaneView]) -> None:
        self.connection = connection
        self.generation = int(fetch(connection, "SELECT value FROM settings WHERE key = 'generation'")[0][0])
        self.known = known
        self.segment_ids: dict[str, frozenset[int]] = {}
        self.segment_files: list[SegmentFile] = []
        self._reader = reader
        lanes = [lane for lane in reader.forms.names if not self._is_current(known.get(lane))]
        if lanes:
            self._open_files(contents.segments(connection), lanes)

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that the index records about itself in this generation."""
        return read_settings(self.connection)

    @property
    def has_all_files(self) -> bool:
        """Whether the file of every segment could be opened."""
        return not any(isinstance(file, OSError) for _, file in self.segment_files)

    @property
    def vectors(self) -> Vectors:
        """The text lane's vectors."""
        view = self._view(TEXT_LANE)
        if not isinstance(view, Vectors):
            raise TypeError("the text lane holds one vector a passage")
        return view

    @property
    def pages_seen(self) -> LaneView | None:
        """The image lane, `Vectors` or `Bags`; None in an index that has none."""
        return None if self._reader.forms.image is None else self._view(IMAGE_LANE)

    def close_files(self, lane: str | None = None) -> None:
        """Let go of the segments' files, or of those of one lane."""
        for record, file in self.segment_files:
            if isinstance(file, FileIO) and lane in {None, record.lane}:
                file.close()
        self.segment_files = [
            segment for segment in self.segment_files if lane is not None and segment[0].lane != lane
        ]

    def _view(self, lane: str) -> LaneView:
        known = self.known.get(lane)
        if known is None or not self._is_current(known):
            known = self.known[lane] = self._reader.view(self, lane)
            self.close_files(lane)
        return known

    def _is_current(self, view: LaneView | None) -> bool:
        return view is not None and view.generation == self.generation

    def _open_files(self, records: list[SegmentRecord], lanes: Sequence[str]) -> None:
        try:
            for lane in lanes:
                of_lane = {record.id: record for record in records if record.lane == lane}
                self.segment_ids[lane] = frozenset(of_lane)
                known = self.known.get(lane)
                if known is not None and (known.damaged or not known.segment_ids <= self.segment_ids[lane]):
                    del self.known[lane]
                have = self.known[lane].segment_ids if lane in self.known else frozenset()
                for record in of_lane.values():
                    if record.id not in have:
                        self.segment_files.append((record, open_segment(self._reader.folder, record)))
        except OSError:
            self.close_files()
            raise

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

    def passages(self, page: Page, chosen: Collection[int] | None = None) -> list[Passage]:
        """The passages of a page, in order, with their boxes; only those whose ids are `chosen`, when given."""
        sql = 'SELECT id, kind, heading, start, "end" FROM passages WHERE page_id = ? ORDER BY id'
        return [
            Passage(
                passage_id,
                page.number,
                BlockKind(kind),
                heading,
                page.text[start:end],
                start,
                end,
                line_boxes(page.words, page.width_pt, page.height_pt, start, end),
            )
            for passage_id, kind, heading, start, end in fetch(self.connection, sql, (page.id,))
            if chosen is None or passage_id in chosen
        ]

    def passage_ids(self, page_id: int) -> list[int]:
        """Ids of the passages of a page, in order."""
        sql = "SELECT id FROM passages WHERE page_id = ? ORDER BY id"
        return [row[0] for row in fetch(self.connection, sql, (page_id,))]


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


def _among(column: str, ids: Iterable[int]) -> tuple[str, tuple[str]]:
    # One value for any number of ids: SQLite takes 32,766 at most.
    return f"WHERE {column} IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
