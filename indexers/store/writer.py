"""Writing to an index: batches that are committed whole, or leave nothing behind."""

from __future__ import annotations

import logging
import shutil
from bisect import bisect
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
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
    fetch,
    no_index,
    open_database,
    read_settings,
    translated,
    write_settings,
)
from ragvl.indexers.store.files import make_folder, sync_folder, writing
from ragvl.indexers.store.forms import LaneForms, PageEntry, add_page, lane_forms
from ragvl.indexers.store.lanes import SEGMENTS_FOLDER, Pending
from ragvl.indexers.store.lock import WriterLock
from ragvl.indexers.store.records import DocumentDraft, FileRecord, HeldDocument
from ragvl.indexers.store.rendered import sweep_rendered
from ragvl.indexers.store.segments import IMAGE_LANE, TEXT_LANE, Owners, SegmentRecord, segment_file
from ragvl.protocols import FloatArray
from ragvl.types import DocumentStatus

logger = logging.getLogger(__name__)

# Segments of like size are merged when their number grows, so that opening an index stays quick.
_FEW_SEGMENTS = 7  # at the end of a run
_MANY_SEGMENTS = 63  # during a run, where merging more often would write much again and again
_WORN_SHARE = 0.3


class IndexWriter:
    """
    The one writer of an index folder; a context manager that holds the lock.

    Attributes:
        folder: of the index.
        settings: everything that the index recorded about itself when it was opened.
        forms: of its lanes, by name.
    """

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
                self.forms = lane_forms(self.settings)
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
                batch = Batch(self._connection, self.folder, self.forms)
                yield batch
                batch.finish()
                self._connection.execute("UPDATE settings SET value = value + 1 WHERE key = 'generation'")
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        self._fold_log()

    def merge(self, most: int = _MANY_SEGMENTS) -> None:
        """Make one of segments of like size when there are more than `most`: a reader opens every one of them."""
        alike: dict[tuple[str, int], list[SegmentRecord]] = {}
        for record in self.segments():
            steps = self.forms[record.lane].merged_below
            if record.entries < steps[-1]:
                step = bisect(steps, record.entries)
                alike.setdefault((record.lane, step), []).append(record)
        for records in alike.values():
            if len(records) > most:
                self._rewrite_sound(records)

    def tidy(self) -> None:
        """Rewrite what slows an index down, if anything does: small segments, or much that is dead."""
        self.merge(_FEW_SEGMENTS)
        for lane in self.forms.names:
            self._rewrite_sound(self._worn(lane, _WORN_SHARE))

    def rewrite(self, records: list[SegmentRecord]) -> None:
        """Replace segments of one lane by one that holds what lives in them, in the same order."""
        with self.batch() as batch:
            batch.replace_segments(records)
        with translated(self._path):
            self._sweep()

    def segments(self) -> list[SegmentRecord]:
        """Every segment of every lane, oldest first."""
        with translated(self._path):
            return contents.segments(self._connection)

    def is_damaged(self, record: SegmentRecord) -> bool:
        """Whether a segment's bytes differ from what was written."""
        with segment_file(self.folder, record) as file:
            try:
                self.forms[record.lane].check((record, file))
            except IndexDamagedError:
                return True
        return False

    def forget_segment(self, record: SegmentRecord) -> None:
        """Name a damaged segment no longer, in a batch of its own; its passages stay."""
        with self.batch():
            contents.delete_segment(self._connection, record.id)

    def passages_without_vector(self) -> list[tuple[tuple[int, int, int], str, str]]:
        """Passages that no segment holds: ((passage id, page id, document id), heading, text), in order."""
        known = self._held(TEXT_LANE)
        with translated(self._path):
            return [row for row in contents.passage_texts(self._connection) if row[0][0] not in known]

    def pages_without_vectors(self) -> dict[int, dict[int, int]]:
        """Pages that no segment of the image lane holds: document id to page number to page id."""
        known = self._held(IMAGE_LANE)
        missing: dict[int, dict[int, int]] = {}
        with translated(self._path):
            rows = fetch(self._connection, "SELECT document_id, number, id FROM pages ORDER BY id")
        for document_id, number, page_id in rows:
            if page_id not in known:
                missing.setdefault(document_id, {})[number] = page_id
        return missing

    def _held(self, lane: str) -> frozenset[int]:
        """Ids of the entries of one lane, dead or alive."""
        form = self.forms[lane]
        held = [form.ids(self.folder, record) for record in self.segments() if record.lane == lane]
        return frozenset(np.concatenate(held).tolist()) if held else frozenset()

    def compact(self) -> None:
        """
        Make one segment of each lane, without anything dead, and give the database's free pages back.

        Raises:
            IndexDamagedError: a segment is damaged; nothing is left out silently.
        """
        for lane in self.forms.names:
            records = [record for record in self.segments() if record.lane == lane]
            if len(records) > 1 or self._worn(lane, 0.0):
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
        sound = [record for record in records if not self.is_damaged(record)]
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

    def _worn(self, lane: str, share: float) -> list[SegmentRecord]:
        """Segments of a lane of which more than a share is dead."""
        with translated(self._path):
            records = [record for record in contents.segments(self._connection) if record.lane == lane]
            dead = contents.tombstones(self._connection, lane)
        most = sum(last - first + 1 for first, last in dead)
        worn = []
        for record in records:
            if most <= share * record.entries:
                continue
            with suppress(IndexDamagedError):
                ids = self.forms[lane].ids(self.folder, record)
                if contents.is_dead(ids, dead).sum() > share * len(ids):
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

    def __init__(self, connection: apsw.Connection, folder: Path, forms: LaneForms) -> None:
        self._connection = connection
        self._folder = folder
        self._text = forms.text.pending()
        self._pending: dict[str, Pending] = {TEXT_LANE: self._text}
        if forms.image is not None:
            self._pending[IMAGE_LANE] = forms.image.pending()
        self._touched: set[int] = set()

    @property
    def lanes(self) -> tuple[str, ...]:
        """Names of the lanes that entries can be added to."""
        return tuple(self._pending)

    def put_document(
        self,
        draft: DocumentDraft,
        vectors: FloatArray,
        pages: Mapping[int, PageEntry] = MappingProxyType({}),
        replaces: int | None = None,
    ) -> int:
        """
        Add a document with its pages, passages and vectors.

        Args:
            draft: what was read.
            vectors: (n, dimension) float32, one row a passage, in the order of pages and passages.
            pages: what the image lane keeps of a page, by its number.
            replaces: an earlier reading of the same content, whose files pass to the new document.

        Returns:
            The new document's id; it vanishes with the batch unless `put_file` names it.
        """
        if replaces is not None:
            contents.release_content(self._connection, replaces)
        inserted = contents.insert_document(self._connection, draft)
        document_id = inserted.document_id
        if len(inserted.passages) != len(vectors):
            raise ValueError(f"{len(inserted.passages)} passages but {len(vectors)} vectors")
        if replaces is not None:
            contents.hand_over_files(self._connection, replaces, document_id)
            self._touched.add(replaces)
        self._touched.add(document_id)
        if inserted.passages:
            self.put_vectors(vectors, np.array(inserted.passages, dtype=np.int64))
        for number, entry in pages.items():
            self.put_page(entry, inserted.pages[number], document_id)
        return document_id

    def put_vectors(self, vectors: FloatArray, owners: Owners) -> None:
        """Add (n, dimension) vectors of passages that are in the index already, with their (n, 3) owners."""
        self._text.add(vectors, owners)

    def put_page(self, entry: PageEntry, page_id: int, document_id: int) -> None:
        """Add what the image lane keeps of a page that is in the index already."""
        add_page(self._pending[IMAGE_LANE], entry, page_id, document_id)

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

    def replace_segments(self, records: Sequence[SegmentRecord]) -> None:
        """Gather what lives in some segments of one lane, to be written as one."""
        for record in records:
            dead = contents.tombstones(self._connection, record.lane)
            self._pending[record.lane].adopt(self._folder, record, dead)
            contents.delete_segment(self._connection, record.id)

    def finish(self) -> None:
        """Drop documents without a file, refresh the terms of the rest, and write each lane's entries as a segment."""
        left = {record.lane for record in contents.segments(self._connection)}
        for lane in self._pending.keys() - left:
            contents.clear_tombstones(self._connection, lane)
        for document_id in sorted(self._touched):
            contents.settle(self._connection, document_id, self._pending.keys())
        for lane, pending in self._pending.items():
            if len(pending):
                draft = pending.write(self._folder)
                contents.insert_segment(
                    self._connection, lane, draft.file, draft.sha256, draft.size_bytes, draft.entries
                )


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
