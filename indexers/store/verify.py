"""Checking every byte of an index against its checksums, and every id against its counterpart."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from io import FileIO
from pathlib import Path

import apsw
import numpy as np

from ragvl.errors import IndexDamagedError, IndexStoreError
from ragvl.indexers.store import contents
from ragvl.indexers.store.database import (
    CHECKSUM_BYTES,
    DATABASE_FILE,
    PAGE_BYTES,
    TERM_TABLES,
    checksum_checker,
    fetch,
    no_index,
)
from ragvl.indexers.store.lanes import LaneForm
from ragvl.indexers.store.reader import IndexReader, Snapshot
from ragvl.indexers.store.rendered import check_rendered
from ragvl.indexers.store.segments import TEXT_LANE, Owners
from ragvl.types import Damage, VerifyReport

_RESERVED_BYTES_AT = 20  # offset in the database header, https://sqlite.org/fileformat2.html §1.3
_READ_AGAIN = 5
_LOG_HEAD, _FRAME_HEAD, _LOG_SALT = 32, 24, slice(16, 24)  # bytes
# What, its counterpart, and a query for the ids that lack it.
_COUNTERPARTS = (
    ("files", "document", "SELECT document_id FROM files EXCEPT SELECT id FROM documents"),
    ("documents", "file", "SELECT id FROM documents EXCEPT SELECT document_id FROM files"),
    ("pages", "document", "SELECT document_id FROM pages EXCEPT SELECT id FROM documents"),
    ("passages", "page", "SELECT page_id FROM passages EXCEPT SELECT id FROM pages"),
    ("documents", "terms", "SELECT id FROM documents EXCEPT SELECT id FROM document_terms_docsize"),
    ("pages", "terms", "SELECT id FROM pages EXCEPT SELECT id FROM page_terms_docsize"),
    ("passages", "terms", "SELECT id FROM passages EXCEPT SELECT id FROM passage_terms_docsize"),
    ("document terms", "document", "SELECT id FROM document_terms_docsize EXCEPT SELECT id FROM documents"),
    ("page terms", "page", "SELECT id FROM page_terms_docsize EXCEPT SELECT id FROM pages"),
    ("passage terms", "passage", "SELECT id FROM passage_terms_docsize EXCEPT SELECT id FROM passages"),
)


def verify_index(folder: Path) -> VerifyReport:
    """
    Check an index; nothing is changed, and writing may go on meanwhile.

    Raises:
        IndexNotFoundError: there is none.
    """
    if not (folder / DATABASE_FILE).is_file():
        raise no_index(folder)
    damages = list(_database_damages(folder / DATABASE_FILE)) or list(_content_damages(folder))
    damages += check_rendered(folder)
    sizes = list(_sizes(folder))
    return VerifyReport(len(sizes), sum(sizes), tuple(damages))


def _sizes(folder: Path) -> Iterator[int]:
    """Of every file; one that goes meanwhile is passed over."""
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file():
                yield path.stat().st_size


def _database_damages(path: Path) -> Iterator[Damage]:
    """Check each page of the database file itself: free pages too, which SQLite never reads."""
    checked = checksum_checker()
    with FileIO(path) as file:
        header = os.pread(file.fileno(), 100, 0)
        if len(header) < 100 or header[_RESERVED_BYTES_AT] != CHECKSUM_BYTES:
            yield Damage(DATABASE_FILE, "the header is damaged")
            return
        number = 0
        while page := _page(file, number + 1):
            number += 1
            if checked(page) or _sound_when_read_again(file, number, checked):
                continue
            if number not in _logged_pages(path):
                yield Damage(DATABASE_FILE, f"page {number} does not match its checksum")


def _page(file: FileIO, number: int) -> bytes:
    return os.pread(file.fileno(), PAGE_BYTES, (number - 1) * PAGE_BYTES)


def _sound_when_read_again(file: FileIO, number: int, checked: Callable[[bytes], bool]) -> bool:
    """Whether a page was only caught while it was being written."""
    for _ in range(_READ_AGAIN):
        time.sleep(0.002)
        page = _page(file, number)
        if not page or checked(page):
            return True
    return False


def _logged_pages(database: Path) -> set[int]:
    """
    Numbers of the pages that the log holds: what the database file has in their place does not count.

    The log's layout is that of https://sqlite.org/fileformat2.html §4.1; SQLite itself checks its content.
    """
    try:
        log = Path(f"{database}-wal").read_bytes()
    except FileNotFoundError:
        return set()
    salt = log[_LOG_SALT]
    frames = (
        log[start : start + _FRAME_HEAD] for start in range(_LOG_HEAD, len(log), _FRAME_HEAD + PAGE_BYTES)
    )
    return {int.from_bytes(frame[:4], "big") for frame in frames if frame[8:16] == salt}


def _content_damages(folder: Path) -> Iterator[Damage]:
    try:
        with closing(IndexReader(folder)) as reader, reader.snapshot() as snapshot:
            yield from _structure_damages(snapshot.connection)
            for lane in reader.forms.names:
                yield from _lane_damages(snapshot, lane, reader.forms[lane])
    except IndexStoreError as error:
        yield Damage(DATABASE_FILE, str(error))


def _structure_damages(connection: apsw.Connection) -> Iterator[Damage]:
    for (finding,) in fetch(connection, "PRAGMA integrity_check"):
        if finding != "ok":
            yield Damage(DATABASE_FILE, str(finding))
    for table in TERM_TABLES:
        try:
            fetch(connection, f"SELECT count(*) FROM {table}('ragvl')")
        except apsw.SQLError as error:
            yield Damage(DATABASE_FILE, f"{table}: {error}")
    for what, counterpart, alone in _COUNTERPARTS:
        count = fetch(connection, f"SELECT count(*) FROM ({alone})")[0][0]
        if count:
            yield Damage(DATABASE_FILE, f"{what} without {counterpart}: {count}")


def _lane_damages(snapshot: Snapshot, lane: str, form: LaneForm) -> Iterator[Damage]:
    """Check each segment's bytes, and that what lives in them and what the database holds are one to one."""
    owners = [np.empty((0, 3), dtype=np.int64)]
    damaged = False
    for record, file in snapshot.segment_files:
        if record.lane != lane:
            continue
        try:
            owners.append(form.check((record, file)))
        except IndexDamagedError as error:
            damaged = True
            yield Damage(record.file, str(error))
    if damaged:
        return
    found = np.concatenate(owners)
    living = found[~contents.is_dead(found[:, 0], contents.tombstones(snapshot.connection, lane))]
    living = living[living[:, 0].argsort()]
    if lane == TEXT_LANE:
        yield from _passage_damages(living, _owners(contents.passage_owners(snapshot.connection)))
    else:
        yield from _page_damages(snapshot, living, _owners(contents.page_owners(snapshot.connection)))


def _passage_damages(living: Owners, passages: Owners) -> Iterator[Damage]:
    if not np.array_equal(living, passages):
        missing = len(np.setdiff1d(passages[:, 0], living[:, 0]))
        yield Damage(
            "segments", f"{missing} passages have no vector, {len(living)} vectors for {len(passages)}"
        )


def _page_damages(snapshot: Snapshot, living: Owners, pages: Owners) -> Iterator[Damage]:
    """A page that could not be drawn has no vectors, and its document is `partial`."""
    known = np.isin(pages[:, 0], living[:, 0])
    if not np.array_equal(living, pages[known]):
        yield Damage("segments", f"{len(living)} entries of the image lane for {int(known.sum())} pages")
    sound = {
        row[0] for row in fetch(snapshot.connection, "SELECT id FROM documents WHERE status != 'partial'")
    }
    missing = sum(document_id in sound for document_id in pages[~known, 2].tolist())
    if missing:
        yield Damage("segments", f"{missing} pages have no vectors in the image lane")


def _owners(rows: list[tuple[int, int, int]]) -> Owners:
    return np.array(rows, dtype=np.int64).reshape(-1, 3)
