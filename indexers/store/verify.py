"""Checking every byte of an index against its checksums, and every id against its counterpart."""

from __future__ import annotations

from collections.abc import Iterator
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
    open_database,
    translated,
)
from ragvl.indexers.store.rendered import check_rendered
from ragvl.indexers.store.segments import check_segment, load_segment
from ragvl.types import Damage, VerifyReport

_RESERVED_BYTES_AT = 20  # offset in the database header, https://sqlite.org/fileformat2.html §1.3


def verify_index(folder: Path) -> VerifyReport:
    """
    Check an index; nothing is changed, and writing may go on meanwhile.

    Raises:
        IndexNotFoundError: there is none.
    """
    database = folder / DATABASE_FILE
    damages = list(_database_damages(folder)) if database.is_file() else []
    if not damages:
        damages += _content_damages(folder)
    damages += check_rendered(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    size_bytes = sum(path.stat().st_size for path in files)
    return VerifyReport(len(files), size_bytes, tuple(damages))


def _database_damages(folder: Path) -> Iterator[Damage]:
    """Check each page of the database file itself: free pages too, which SQLite never reads."""
    checked = checksum_checker()
    with (folder / DATABASE_FILE).open("rb") as file:
        header = file.read(100)
        if len(header) < 100 or header[_RESERVED_BYTES_AT] != CHECKSUM_BYTES:
            yield Damage(DATABASE_FILE, "the header is damaged")
            return
        file.seek(0)
        number = 0
        while page := file.read(PAGE_BYTES):
            number += 1
            if not checked(page):
                yield Damage(DATABASE_FILE, f"page {number} does not match its checksum")


def _content_damages(folder: Path) -> Iterator[Damage]:
    try:
        connection = open_database(folder, writable=False)
    except IndexDamagedError as error:
        yield Damage(DATABASE_FILE, str(error))
        return
    try:
        with translated(folder / DATABASE_FILE):
            connection.execute("BEGIN")
            yield from _structure_damages(connection)
            yield from _segment_damages(connection, folder)
    except IndexStoreError as error:
        yield Damage(DATABASE_FILE, str(error))
    finally:
        connection.close()


def _structure_damages(connection: apsw.Connection) -> Iterator[Damage]:
    for (finding,) in fetch(connection, "PRAGMA integrity_check"):
        if finding != "ok":
            yield Damage(DATABASE_FILE, str(finding))
    for table in TERM_TABLES:
        try:
            fetch(connection, f"SELECT count(*) FROM {table}('ragvl')")
        except apsw.SQLError as error:
            yield Damage(DATABASE_FILE, f"{table}: {error}")
    for child, parent, column in (("pages", "documents", "document_id"), ("passages", "pages", "page_id")):
        lost = fetch(
            connection, f"SELECT count(*) FROM {child} WHERE {column} NOT IN (SELECT id FROM {parent})"
        )[0][0]
        if lost:
            yield Damage(DATABASE_FILE, f"{lost} {child} belong to no {parent}")


def _segment_damages(connection: apsw.Connection, folder: Path) -> Iterator[Damage]:
    """Check each segment's bytes, and that living vectors and passages are one to one."""
    vector_ids = [np.empty(0, dtype=np.int64)]
    whole = True
    for record in contents.segments(connection):
        damage = check_segment(folder, record)
        if damage:
            whole = False
            yield damage
        else:
            vector_ids.append(load_segment(folder, record).owners[:, 0])
    if not whole:
        return
    found = np.concatenate(vector_ids)
    living = np.sort(found[~contents.is_dead(found, contents.tombstones(connection))])
    passages = np.array(
        [row[0] for row in fetch(connection, "SELECT id FROM passages ORDER BY id")], dtype=np.int64
    )
    if not np.array_equal(living, passages):
        missing = len(np.setdiff1d(passages, living))
        yield Damage(
            "segments", f"{missing} passages have no vector, {len(living)} vectors for {len(passages)}"
        )
