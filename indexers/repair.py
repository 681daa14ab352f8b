"""Making damaged segments again from what the database holds; what is damaged is kept aside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from ragvl.config import Config
from ragvl.indexers.manifest import check_manifest, encoder_manifest, page_query_manifest
from ragvl.indexers.page_lane import PageLane
from ragvl.indexers.passages import PageDraft, embedding_text
from ragvl.indexers.scan import absolute_path
from ragvl.indexers.store.database import DATABASE_FILE, damaged
from ragvl.indexers.store.files import file_holding, make_folder, writing
from ragvl.indexers.store.reader import IndexReader, Snapshot
from ragvl.indexers.store.rendered import check_rendered
from ragvl.indexers.store.verify import verify_index
from ragvl.indexers.store.writer import IndexWriter
from ragvl.indexers.workers import ReadingPool, ReadRequest
from ragvl.protocols import PageEncoder, TextEncoder
from ragvl.types import Document, Page

QUARANTINE_FOLDER = "quarantine"
_BATCH_PASSAGES = 1024

_DEFAULTS = Config()
_Numbers = Mapping[int, int]  # page number to page id


def repair_index(
    folder: Path, encoder: TextEncoder, pages: PageEncoder | None = None, config: Config = _DEFAULTS
) -> int:
    """
    Put damaged segments and page images into `quarantine/`, and encode anew what no segment holds.

    Pages of the image lane are drawn again from their documents' files; those whose file is gone or changed stay
    without vectors.

    Args:
        folder: of the index.
        encoder: of passages.
        pages: of the image lane; None where it is off.
        config: how files are read, and pages drawn.

    Returns:
        How many passages and pages were encoded.

    Raises:
        IndexDamagedError: the database itself is damaged; it cannot be made again from what is here.
        IndexMismatchError: the index was made with another encoder.
    """
    if any(damage.file == DATABASE_FILE for damage in verify_index(folder).damages):
        raise damaged(folder / DATABASE_FILE)
    with IndexWriter(folder) as writer:
        check_manifest(writer.settings, encoder_manifest(encoder), str(folder))
        for damage in check_rendered(folder):
            _set_aside(folder, damage.file)
        for record in writer.segments():
            if writer.is_damaged(record):
                _set_aside(folder, record.file)
                writer.forget_segment(record)
        encoded = _encode_passages(writer, encoder)
        if pages is not None and writer.forms.image is not None:
            check_manifest(writer.settings, page_query_manifest(pages), str(folder))
            with closing(PageLane(folder, pages, writer.forms, config.image)) as lane:
                _encode_pages(writer, lane, config)
                encoded += lane.pages_encoded
    return encoded


def _encode_passages(writer: IndexWriter, encoder: TextEncoder) -> int:
    lost = writer.passages_without_vector()
    for start in range(0, len(lost), _BATCH_PASSAGES):
        part = lost[start : start + _BATCH_PASSAGES]
        vectors = encoder.encode_passages([embedding_text(heading, text) for _, heading, text in part])
        owners = np.array([owner for owner, _, _ in part], dtype=np.int64)
        with writer.batch() as batch:
            batch.put_vectors(vectors, owners)
    return len(lost)


def _encode_pages(writer: IndexWriter, lane: PageLane, config: Config) -> None:
    """Draw and encode the pages that no segment of the image lane holds, document by document."""
    lost = writer.pages_without_vectors()
    # Their text is in the database: it need not be read by OCR again.
    without_ocr = config.reading.ocr.model_copy(update={"pages": False, "figures": False})
    reading = config.reading.model_copy(update={"ocr": without_ocr})
    base = Path(os.path.realpath(writer.folder)).parent
    with closing(IndexReader(writer.folder)) as reader, reader.snapshot() as snapshot:
        documents = snapshot.documents(lost)
        requests = [
            ReadRequest(document_id, path, documents[document_id].media_type)
            for document_id in lost
            if (path := _file_of(snapshot, documents[document_id], base)) is not None
        ]
        if not requests:
            return
        with ReadingPool(reading, config.passages, lane.drawing) as pool:
            for read in pool.read(requests):
                numbers = lost[read.key]
                known = snapshot.pages(numbers.values())
                _put_pages(writer, lane, read.key, numbers, known, read.pages)


def _put_pages(
    writer: IndexWriter,
    lane: PageLane,
    document_id: int,
    numbers: _Numbers,
    known: Mapping[int, Page],
    drafts: tuple[PageDraft, ...],
) -> None:
    drawn = [draft for draft in drafts if draft.number in numbers]
    stored = [known[numbers[draft.number]] for draft in drawn]
    entries = lane.encode(
        [replace(draft, text=page.text, words=page.words) for draft, page in zip(drawn, stored, strict=True)]
    )
    with writer.batch() as batch:
        for page, entry in zip(stored, entries, strict=True):
            if entry is not None:
                batch.put_page(entry, page.id, document_id)


def _file_of(snapshot: Snapshot, document: Document, base: Path) -> Path | None:
    """A file that still holds what was indexed."""
    stored = snapshot.file_paths(document.id)
    return file_holding((Path(os.fsdecode(absolute_path(path, base))) for path in stored), document.sha256)


def _set_aside(folder: Path, file: str) -> None:
    path = folder / file
    aside = folder / QUARANTINE_FOLDER / path.name
    with writing(aside):
        if path.exists():
            make_folder(aside.parent)
            path.replace(aside)
