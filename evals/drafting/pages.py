"""The pages that questions are drafted from: a folder read as it is for an index, without encoding it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from ragvl.config import Config
from ragvl.errors import ReadError
from ragvl.indexers.admission import admitted_media_type
from ragvl.indexers.passages import PageDraft
from ragvl.indexers.scan import FoundFile, display_name, scan
from ragvl.indexers.workers import DocumentRead, ReadingPool, ReadRequest
from ragvl.types import Document, DocumentStatus, Hit, Page, Passage

__all__ = ["DocumentPages", "FolderPages", "read_folder"]


@dataclass(frozen=True, slots=True)
class DocumentPages:
    """A document's path, relative to its folder, and its pages with all their passages."""

    path: str
    pages: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class FolderPages:
    """
    What was read of a folder.

    Attributes:
        documents: in the order of paths.
        failed: path and reason of each file that is not, or not wholly, read.
        left_out: files beyond the limit that were not looked at.
    """

    documents: tuple[DocumentPages, ...]
    failed: tuple[tuple[str, str], ...] = ()
    left_out: int = 0


def read_folder(
    folder: Path, config: Config, limit: int, on_document: Callable[[int, int], None] | None = None
) -> FolderPages:
    """
    Read the documents of a folder.

    Args:
        limit: read at most so many documents, always the same ones.
        on_document: called with the number of documents read and to be read.
    """
    files = list(scan(folder))
    base = Path(os.path.realpath(folder))
    chosen = sorted(sorted(files, key=_shuffle)[:limit], key=lambda file: file.path)
    requests: list[ReadRequest] = []
    failed: list[tuple[str, str]] = []
    for key, file in enumerate(chosen):
        try:
            media_type = admitted_media_type(file, config.reading.max_file_mb)
        except (ReadError, OSError) as error:
            reason = error.reason if isinstance(error, ReadError) else str(error.strerror)
            failed.append((_name(file, base), reason))
            continue
        requests.append(ReadRequest(key, Path(os.fsdecode(file.path)), media_type))
    documents: list[DocumentPages] = []
    with ReadingPool(config.reading, config.passages) as pool:
        for done, read in enumerate(pool.read(requests), 1):
            name = _name(chosen[read.key], base)
            if read.reason:
                failed.append((name, read.reason))
            if read.pages:
                documents.append(DocumentPages(name, _hits(read, name)))
            if on_document is not None:
                on_document(done, len(requests))
    documents.sort(key=lambda document: document.path)
    return FolderPages(tuple(documents), tuple(sorted(failed)), len(files) - len(chosen))


def _name(file: FoundFile, base: Path) -> str:
    return display_name(os.path.relpath(file.path, os.fsencode(base)))


def _shuffle(file: FoundFile) -> bytes:
    return sha256(file.path).digest()


def _hits(read: DocumentRead, name: str) -> tuple[Hit, ...]:
    document = Document(
        read.key,
        name,
        "",
        "",
        read.title,
        read.page_count,
        0,
        datetime.fromtimestamp(0, UTC),
        DocumentStatus(read.status),
    )
    return tuple(_hit(document, draft) for draft in read.pages)


def _hit(document: Document, draft: PageDraft) -> Hit:
    page = Page(
        0, document, draft.number, draft.width_pt, draft.height_pt, draft.text, draft.text_source, draft.words
    )
    passages = tuple(
        Passage(
            0, draft.number, one.kind, one.heading, draft.text[one.start : one.end], one.start, one.end, ()
        )
        for one in draft.passages
    )
    return Hit(page, 0.0, (), passages)
