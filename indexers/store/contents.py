"""Statements on the database of an index: what is stored where. Callers hold the transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import apsw
import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.analysis import terms
from ragvl.indexers.passages import PageDraft
from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.records import DocumentDraft, FileRecord, HeldDocument
from ragvl.indexers.store.segments import IMAGE_LANE, TEXT_LANE, SegmentRecord
from ragvl.types import DocumentStatus


@dataclass(frozen=True, slots=True)
class Inserted:
    """A document that was added: page ids by number, and (passage id, page id, document id) of each passage."""

    document_id: int
    pages: dict[int, int]
    passages: list[tuple[int, int, int]]


def files(connection: apsw.Connection) -> Iterator[FileRecord]:
    """Every file, in the order of paths."""
    rows = fetch(
        connection, "SELECT path, name, size_bytes, mtime_ns, seen_ns, document_id FROM files ORDER BY path"
    )
    return (FileRecord(*row) for row in rows)


def document_with(connection: apsw.Connection, sha256: str, media_type: str) -> int | None:
    """The id of the document with this content."""
    sql = "SELECT id FROM documents WHERE sha256 = ? AND media_type = ? AND sha256 != ''"
    found = fetch(connection, sql, (sha256, media_type))
    return found[0][0] if found else None


def held_document(connection: apsw.Connection, document_id: int) -> HeldDocument:
    """A document's content and status."""
    row = fetch(
        connection, "SELECT sha256, media_type, status, reason FROM documents WHERE id = ?", (document_id,)
    )[0]
    return HeldDocument(row[0], row[1], DocumentStatus(row[2]), row[3])


def documents_with_status(connection: apsw.Connection, statuses: Collection[str]) -> frozenset[int]:
    """Ids of the documents that were read with one of these results."""
    marks = ",".join("?" * len(statuses))
    rows = fetch(connection, f"SELECT id FROM documents WHERE status IN ({marks})", tuple(statuses))
    return frozenset(row[0] for row in rows)


def put_file(connection: apsw.Connection, file: FileRecord) -> int | None:
    """Record a file; returns the document that it was before, if any."""
    before = _document_of(connection, file.path)
    connection.execute(
        "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
        (file.path, file.name, file.document_id, file.size_bytes, file.mtime_ns, file.seen_ns),
    )
    return before


def drop_file(connection: apsw.Connection, path: bytes) -> int | None:
    """Forget a file; returns the document that it was."""
    before = _document_of(connection, path)
    connection.execute("DELETE FROM files WHERE path = ?", (path,))
    return before


def insert_document(connection: apsw.Connection, draft: DocumentDraft) -> Inserted:
    """Add a document with its pages and passages."""
    connection.execute(
        "INSERT INTO documents(sha256, media_type, title, page_count, status, reason) VALUES (?, ?, ?, ?, ?, ?)",
        (draft.sha256, draft.media_type, draft.title, draft.page_count, draft.status, draft.reason),
    )
    document_id = connection.last_insert_rowid()
    passages: list[tuple[int, int, int]] = []
    pages: dict[int, int] = {}
    for page in draft.pages:
        page_id = pages[page.number] = _insert_page(connection, document_id, page)
        passages += (
            (passage_id, page_id, document_id) for passage_id in _insert_passages(connection, page_id, page)
        )
    return Inserted(document_id, pages, passages)


def release_content(connection: apsw.Connection, document_id: int) -> None:
    """Let another document have this one's content; it is about to go."""
    connection.execute("UPDATE documents SET sha256 = '' WHERE id = ?", (document_id,))


def hand_over_files(connection: apsw.Connection, old_id: int, new_id: int) -> None:
    """Make every file of one document a file of another."""
    connection.execute("UPDATE files SET document_id = ? WHERE document_id = ?", (new_id, old_id))


def settle(connection: apsw.Connection, document_id: int, lanes: Collection[str]) -> None:
    """
    Delete a document that lies in no file; otherwise bring its searchable terms up to date.

    Args:
        connection: in a transaction.
        document_id: of the document.
        lanes: those that may hold entries of it.
    """
    names = [
        row[0]
        for row in fetch(
            connection, "SELECT name FROM files WHERE document_id = ? ORDER BY path", (document_id,)
        )
    ]
    _delete_terms(connection, document_id)
    if names:
        _insert_terms(connection, document_id, " ".join(names))
    else:
        _delete_document(connection, document_id, lanes)


def segments(connection: apsw.Connection) -> list[SegmentRecord]:
    """Every segment of every lane, oldest first."""
    rows = fetch(connection, "SELECT id, lane, file, sha256, size_bytes, entries FROM segments ORDER BY id")
    return [SegmentRecord(*row) for row in rows]


def insert_segment(
    connection: apsw.Connection, lane: str, file: str, sha256: str, size_bytes: int, entries: int
) -> None:
    """Name a segment file."""
    connection.execute(
        "INSERT INTO segments(lane, file, sha256, size_bytes, entries) VALUES (?, ?, ?, ?, ?)",
        (lane, file, sha256, size_bytes, entries),
    )


def delete_segment(connection: apsw.Connection, segment_id: int) -> None:
    """Name a segment file no longer."""
    connection.execute("DELETE FROM segments WHERE id = ?", (segment_id,))


def passage_texts(connection: apsw.Connection) -> Iterator[tuple[tuple[int, int, int], str, str]]:
    """Every passage: ((passage id, page id, document id), heading, text), in the order of ids."""
    rows = fetch(
        connection,
        'SELECT a.id, p.id, p.document_id, a.heading, a.start, a."end", p.text'
        " FROM passages a JOIN pages p ON p.id = a.page_id ORDER BY a.id",
    )
    return ((row[:3], row[3], row[6][row[4] : row[5]]) for row in rows)


def passage_owners(connection: apsw.Connection) -> list[tuple[int, int, int]]:
    """(passage id, page id, document id) of every passage, in the order of ids."""
    return fetch(
        connection,
        "SELECT a.id, p.id, p.document_id FROM passages a JOIN pages p ON p.id = a.page_id ORDER BY a.id",
    )


def page_owners(connection: apsw.Connection) -> list[tuple[int, int, int]]:
    """(page id, page id, document id) of every page, in the order of ids."""
    return fetch(connection, "SELECT id, id, document_id FROM pages ORDER BY id")


def tombstones(connection: apsw.Connection, lane: str) -> list[tuple[int, int]]:
    """Ranges of ids of one lane, both ends inclusive, that are gone; sorted and apart from one another."""
    sql = "SELECT first_id, last_id FROM tombstones WHERE lane = ? ORDER BY first_id"
    return list(fetch(connection, sql, (lane,)))


def clear_tombstones(connection: apsw.Connection, lane: str) -> None:
    """Forget all tombstones of a lane: no segment of it holds anything dead."""
    connection.execute("DELETE FROM tombstones WHERE lane = ?", (lane,))


def is_dead(ids: NDArray[np.int64], dead: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """(n,) which of the ids lie in one of the ranges of `tombstones`."""
    if not dead:
        return np.zeros(len(ids), dtype=np.bool_)
    first, last = np.array(dead, dtype=np.int64).T
    place = np.searchsorted(first, ids, side="right") - 1
    inside: NDArray[np.bool_] = (place >= 0) & (ids <= last[place])
    return inside


def _document_of(connection: apsw.Connection, path: bytes) -> int | None:
    found = fetch(connection, "SELECT document_id FROM files WHERE path = ?", (path,))
    return found[0][0] if found else None


def _insert_page(connection: apsw.Connection, document_id: int, page: PageDraft) -> int:
    connection.execute(
        "INSERT INTO pages(document_id, number, width_pt, height_pt, text, text_source, language, words)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document_id,
            page.number,
            page.width_pt,
            page.height_pt,
            page.text,
            page.text_source,
            page.language,
            page.words,
        ),
    )
    return connection.last_insert_rowid()


def _insert_passages(connection: apsw.Connection, page_id: int, page: PageDraft) -> Iterator[int]:
    for passage in page.passages:
        connection.execute(
            'INSERT INTO passages(page_id, kind, heading, start, "end") VALUES (?, ?, ?, ?, ?)',
            (page_id, passage.kind, passage.heading, passage.start, passage.end),
        )
        yield connection.last_insert_rowid()


def _insert_terms(connection: apsw.Connection, document_id: int, names: str) -> None:
    title = fetch(connection, "SELECT title FROM documents WHERE id = ?", (document_id,))[0][0]
    context = " ".join(terms(f"{title} {names}"))
    everything = [context]
    for page_id, text in fetch(
        connection, "SELECT id, text FROM pages WHERE document_id = ?", (document_id,)
    ):
        sql = 'SELECT id, heading, start, "end" FROM passages WHERE page_id = ? ORDER BY id'
        passages = fetch(connection, sql, (page_id,))
        bodies = [" ".join(terms(text[start:end])) for _, _, start, end in passages]
        above = {heading: " ".join(terms(heading)) for _, heading, _, _ in passages}
        connection.executemany(
            "INSERT INTO passage_terms(rowid, body, context) VALUES (?, ?, ?)",
            (
                (row[0], body, f"{context} {above[row[1]]}")
                for row, body in zip(passages, bodies, strict=True)
            ),
        )
        body = " ".join(bodies)
        connection.execute(
            "INSERT INTO page_terms(rowid, body, context) VALUES (?, ?, ?)",
            (page_id, body, " ".join((context, *above.values()))),
        )
        everything.append(body)
    connection.execute(
        "INSERT INTO document_terms(rowid, body) VALUES (?, ?)", (document_id, " ".join(everything))
    )


def _delete_terms(connection: apsw.Connection, document_id: int) -> None:
    pages = "SELECT id FROM pages WHERE document_id = ?"
    connection.execute(
        f"DELETE FROM passage_terms WHERE rowid IN (SELECT id FROM passages WHERE page_id IN ({pages}))",
        (document_id,),
    )
    connection.execute(f"DELETE FROM page_terms WHERE rowid IN ({pages})", (document_id,))
    connection.execute("DELETE FROM document_terms WHERE rowid = ?", (document_id,))


def _delete_document(connection: apsw.Connection, document_id: int, lanes: Collection[str]) -> None:
    pages = "SELECT id FROM pages WHERE document_id = ?"
    passages = f"SELECT id FROM passages WHERE page_id IN ({pages})"
    ids = {TEXT_LANE: passages, IMAGE_LANE: pages}
    for lane in lanes:
        first, last = fetch(connection, f"SELECT min(id), max(id) FROM ({ids[lane]})", (document_id,))[0]
        if first is not None:
            # What a document has is inserted in one transaction by the one writer: the ids have no gaps.
            connection.execute("INSERT INTO tombstones VALUES (?, ?, ?)", (lane, first, last))
    connection.execute(f"DELETE FROM passages WHERE page_id IN ({pages})", (document_id,))
    connection.execute("DELETE FROM pages WHERE document_id = ?", (document_id,))
    connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))
