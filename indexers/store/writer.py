"""Writing to an index: batches that are committed whole, or leave nothing behind."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import apsw
import numpy as np

from ragvl.errors import IndexDamagedError
from ragvl.indexers.store import contents
from ragvl.indexers.store.database import (
    BUSY_TIMEOUT_MS,
    DATABASE_FILE,
    TERM_TABLES,
    create_database,
    delete_setting,
    no_index,
    open_database,
    read_settings,
    translated,
    write_settings,
)
from ragvl.indexers.store.files import make_folder, sync_folder, write_durably, writing
from ragvl.indexers.store.lock import WriterLock
from ragvl.indexers.store.records import DocumentDraft, FileRecord, HeldDocument
from ragvl.indexers.store.rendered import sweep_rendered
from ragvl.indexers.store.segments import Owners, SegmentRecord, VectorTable, check_segment, load_segment
from ragvl.protocols import FloatArray
from ragvl.types import DocumentStatus

logger = logging.getLogger(__name__)

SEGMENTS_FOLDER = "segments"
TEXT_LANE = "text"

# Segments smaller than this are merged when their number grows, so that opening an index stays quick.
_SMALL_SEGMENT_VECTORS = 65_536
_FEW_SMALL_SEGMENTS = 7  # at the end of a run
_MANY_SMALL_SEGMENTS = 63  # during a run, where merging more often would write much again and again
_WORN_SHARE = 0.3


class IndexWriter:
    """The one writer of an index folder; a context manager that holds the lock."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None) -> None:
        """
        Open an index for writing.

        Args:
            folder: the index folder.
            settings: recorded in a new index, which is made when there is none; None never makes one. See
                `ragvl.indexers.manifest` for what an old one is checked for.

        Raises:
            IndexLockedError: another process is writing.
            IndexNotFoundError, IndexWriteError, IndexDamagedError, IndexMismatchError: see `ragvl.errors`.
        """
        self.folder = folder
        self._path = folder / DATABASE_FILE
        if settings is None and not self._path.exists():
            raise no_index(folder)
        with writing(folder):
            make_folder(folder)
        with ExitStack() as undo:
            self._lock = undo.enter_context(WriterLock(folder))
            if not self._path.exists():
                _create(folder, settings or {})
            self._connection = open_database(folder, writable=True)
            undo.callback(self._connection.close)
            with translated(self._path):
                self.settings = read_settings(self._connection)
                self._sweep()
            undo.pop_all()

    def close(self) -> None:
        """Fold the log into the database and give the lock back."""
        try:
            with translated(self._path), self._postponable():
                self._connection.close()
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def files(self) -> dict[bytes, FileRecord]:
        """Every file in the index, by path."""
        with translated(self._path):
            return {file.path: file for file in contents.files(self._connection)}

    def document_with(self, sha256: str, media_type: str) -> int | None:
        """The id of the document with this content, if the index has it."""
        with translated(self._path):
            return contents.document_with(self._connection, sha256, media_type)

    def status_of(self, document_id: int) -> HeldDocument:
        """What became of a document when it was read."""
        with translated(self._path):
            return contents.held_document(self._connection, document_id)

    def documents_with_status(self, statuses: Collection[DocumentStatus]) -> frozenset[int]:
        """Ids of the documents that were read with one of these results."""
        with translated(self._path):
            return contents.documents_with_status(self._connection, statuses)

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """
        Collect changes; they are committed when the block ends and dropped when it raises.

        Raises:
            IndexWriteError: the disk is full or failing; the index is as it was before the batch.
        """
        with translated(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                batch = Batch(self._connection, self.folder, int(self.settings["text.dimension"]))
                yield batch
                batch.finish()
                self._connection.execute("UPDATE settings SET value = value + 1 WHERE key = 'generation'")
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        self._fold_log()

    def merge(self, most: int = _MANY_SMALL_SEGMENTS) -> None:
        """Make one of the small segments when there are more than `most`: a reader opens every one of them."""
        small = [record for record in self.segments() if record.vectors < _SMALL_SEGMENT_VECTORS]
        if len(small) > most:
            self._rewrite_sound(small)

    def tidy(self) -> None:
        """Rewrite what slows an index down, if anything does: small segments, or much that is dead."""
        self.merge(_FEW_SMALL_SEGMENTS)
        self._rewrite_sound(self._worn(_WORN_SHARE))

    def rewrite(self, records: list[SegmentRecord]) -> None:
        """Replace segments by one that holds their living vectors, in the order of passage ids."""
        with self.batch() as batch:
            batch.replace_segments(records)
        with translated(self._path):
            self._sweep()

    def segments(self) -> list[SegmentRecord]:
        """Every segment, oldest first."""
        with translated(self._path):
            return contents.segments(self._connection)

    def forget_segment(self, record: SegmentRecord) -> None:
        """Name a damaged segment no longer, in a batch of its own; its passages stay."""
        with self.batch():
            contents.delete_segment(self._connection, record.id)

    def passages_without_vector(self) -> list[tuple[tuple[int, int, int], str, str]]:
        """Passages that no segment holds: ((passage id, page id, document id), heading, text), in order."""
        held = [load_segment(self.folder, record).owners[:, 0] for record in self.segments()]
        known = frozenset(np.concatenate(held).tolist()) if held else frozenset()
        with translated(self._path):
            return [row for row in contents.passage_texts(self._connection) if row[0][0] not in known]

    def compact(self) -> None:
        """
        Make one segment of all, without anything dead, and give the database's free pages back.

        Raises:
            IndexDamagedError: a segment is damaged; nothing is left out silently.
        """
        records = self.segments()
        if len(records) > 1 or self._worn(0.0):
            self.rewrite(records)
        with translated(self._path):
            for table in TERM_TABLES:
                self._connection.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
            # Through a file: a large database would not fit into memory.
            self._connection.pragma("temp_store", "file")
            self._connection.execute("VACUUM")
        self._fold_log()

    def _rewrite_sound(self, records: list[SegmentRecord]) -> None:
        """Rewrite those segments that are not damaged; the others are named by `verify`."""
        sound = [record for record in records if check_segment(self.folder, record) is None]
        if sound:
            self.rewrite(sound)

    def _fold_log(self) -> None:
        """Copy the log into the database file and empty it: damage to a log that is empty costs nothing."""
        self._connection.set_busy_timeout(0)
        with translated(self._path), self._postponable():
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._connection.set_busy_timeout(BUSY_TIMEOUT_MS)

    @contextmanager
    def _postponable(self) -> Iterator[None]:
        """Folding the log: what it holds is committed, so a reader in the way or a full disk only puts that off."""
        try:
            yield
        except apsw.BusyError:
            pass
        except (apsw.FullError, apsw.IOError) as error:
            logger.warning("%s cannot be brought up to date from its log: %s", self._path, error)

    def _worn(self, share: float) -> list[SegmentRecord]:
        """Segments of which more than a share of the vectors is dead."""
        with translated(self._path):
            records = contents.segments(self._connection)
            dead = contents.tombstones(self._connection)
        most = sum(last - first + 1 for first, last in dead)
        worn = []
        for record in records:
            if most <= share * record.vectors:
                continue
            with suppress(IndexDamagedError):
                passage_ids = load_segment(self.folder, record).owners[:, 0]
                if contents.is_dead(passage_ids, dead).sum() > share * len(passage_ids):
                    worn.append(record)
        return worn

    def _sweep(self) -> None:
        """Remove files that no committed state names: left by a crash or by a merge."""
        named = {self.folder / record.file for record in contents.segments(self._connection)}
        with writing(self.folder / SEGMENTS_FOLDER):
            for path in (self.folder / SEGMENTS_FOLDER).glob("*/*"):
                if path not in named:
                    path.unlink(missing_ok=True)
            sweep_rendered(self.folder)


class Batch:
    """Changes that are committed together; made by `IndexWriter.batch`."""

    def __init__(self, connection: apsw.Connection, folder: Path, dimension: int) -> None:
        self._connection = connection
        self._folder = folder
        self._table = VectorTable(dimension)
        self._touched: set[int] = set()

    def put_document(self, draft: DocumentDraft, vectors: FloatArray, replaces: int | None = None) -> int:
        """
        Add a document with its pages, passages and vectors.

        Args:
            draft: what was read.
            vectors: (n, dimension) float32, one row a passage, in the order of pages and passages.
            replaces: an earlier reading of the same content, whose files pass to the new document.

        Returns:
            The new document's id; it vanishes with the batch unless `put_file` names it.
        """
        if replaces is not None:
            contents.release_content(self._connection, replaces)
        document_id, owners = contents.insert_document(self._connection, draft)
        if len(owners) != len(vectors):
            raise ValueError(f"{len(owners)} passages but {len(vectors)} vectors")
        if replaces is not None:
            contents.hand_over_files(self._connection, replaces, document_id)
            self._touched.add(replaces)
        self._touched.add(document_id)
        if len(owners):
            self._table.add(vectors, np.array(owners, dtype=np.int64))
        return document_id

    def put_vectors(self, vectors: FloatArray, owners: Owners) -> None:
        """Add (n, dimension) vectors of passages that are in the index already, with their (n, 3) owners."""
        self._table.add(vectors, owners)

    def put_file(self, file: FileRecord) -> None:
        """Record where a document lies; a file that was another document before is that no longer."""
        before = contents.put_file(self._connection, file)
        if before != file.document_id:
            self._touched |= {file.document_id} if before is None else {before, file.document_id}

    def drop_file(self, path: bytes) -> None:
        """Forget a file; its document goes with the last of its files."""
        before = contents.drop_file(self._connection, path)
        self._touched |= set() if before is None else {before}

    def put_setting(self, name: str, value: object) -> None:
        """Record a JSON value that is no part of what the index was made with; None forgets it."""
        if value is None:
            delete_setting(self._connection, name)
        else:
            write_settings(self._connection, {name: value})

    def replace_segments(self, records: list[SegmentRecord]) -> None:
        """Gather the living vectors of some segments, to be written as one."""
        dead = contents.tombstones(self._connection)
        gathered = VectorTable(self._table.dimension)
        for record in records:
            old = load_segment(self._folder, record)
            gathered.extend(old, ~contents.is_dead(old.owners[:, 0], dead))
            contents.delete_segment(self._connection, record.id)
        self._table.extend(gathered)
        if not contents.segments(self._connection):
            contents.clear_tombstones(self._connection)

    def finish(self) -> None:
        """Drop documents without a file, refresh the terms of the rest, and write the vectors as a segment."""
        for document_id in sorted(self._touched):
            contents.settle(self._connection, document_id)
        if len(self._table):
            self._write_segment()

    def _write_segment(self) -> None:
        content = self._table.to_bytes()
        # A random name: a crashed batch may have left a file of the number that comes next.
        file = f"{SEGMENTS_FOLDER}/{TEXT_LANE}/{os.urandom(8).hex()}.seg"
        digest = write_durably(self._folder / file, content)
        contents.insert_segment(self._connection, TEXT_LANE, file, digest, len(content), len(self._table))


def _create(folder: Path, settings: dict[str, Any]) -> None:
    """Make the database in a folder of its own first, so that a crash leaves no half-made index."""
    fresh = folder / "creating"
    with writing(fresh):
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
    create_database(fresh, settings)
    with writing(folder / DATABASE_FILE):
        (fresh / DATABASE_FILE).replace(folder / DATABASE_FILE)
        sync_folder(folder)
        fresh.rmdir()
