"""
Make a large index out of a small one without reading or encoding anything; run by benchmarks/latency.py.

Every document is written again and again through `IndexWriter`, in batches as an indexing run makes them, until the index
has the pages wanted. Copy 0 is the original. In the others, words are replaced (see spelling.py), and to each vector a
random one of 0.6 of its length is added before it is brought back to unit length: cosine 0.86 to the original.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs import perform
from spelling import Respeller

from ragvl.indexers.passages import PageDraft, PassageDraft
from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import IndexReader, Snapshot
from ragvl.indexers.store.records import DocumentDraft, FileRecord
from ragvl.indexers.store.writer import IndexWriter

_NOISE = 0.6
_BATCH_PASSAGES = 384  # as `IndexRun` commits
_RECORDED_ANEW = ("format_version", "generation")
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Original:
    """A document as the small index holds it."""

    name: str
    draft: DocumentDraft
    vectors: Vectors


def read_originals(reader: IndexReader) -> list[Original]:
    """Read every document that has pages."""
    with reader.snapshot() as snapshot:
        table = snapshot.vectors.table
        rows = {int(owner[0]): row for row, owner in enumerate(table.owners)}
        vectors = table._index.reconstruct_n(0, len(table))
        return [
            _original(snapshot, document_id, rows, vectors)
            for document_id, document in snapshot.documents().items()
            if document.page_count
        ]


def _original(snapshot: Snapshot, document_id: int, rows: dict[int, int], vectors: Vectors) -> Original:
    document = snapshot.documents([document_id])[document_id]
    ids = fetch(snapshot.connection, "SELECT id FROM pages WHERE document_id = ? ORDER BY id", (document_id,))
    pages, places = [], []
    for page in snapshot.pages(row[0] for row in ids).values():
        passages = snapshot.passages(page)
        places += [rows[passage.id] for passage in passages]
        drafts = tuple(PassageDraft(p.kind, p.heading, p.start, p.end) for p in passages)
        size = (page.width_pt, page.height_pt)
        pages.append(PageDraft(page.number, *size, page.text, page.text_source, page.words, drafts, ""))
    draft = DocumentDraft(
        document.sha256,
        document.media_type,
        document.title,
        document.page_count,
        document.status,
        document.reason,
        tuple(pages),
    )
    return Original(PurePosixPath(document.path).name, draft, vectors[places])


def copies(originals: list[Original], wanted_pages: int) -> Iterator[tuple[str, DocumentDraft, Vectors]]:
    """Yield documents until there are enough pages: name, draft, vectors."""
    respeller = Respeller(page.text for original in originals for page in original.draft.pages)
    written = copy = 0
    while True:
        for place, original in enumerate(originals):
            yield (
                _copy(original, copy, place, respeller)
                if copy
                else ("copy-0000/" + original.name, original.draft, original.vectors)
            )
            written += len(original.draft.pages)
            if written >= wanted_pages:
                return
        copy += 1


def _copy(
    original: Original, copy: int, place: int, respeller: Respeller
) -> tuple[str, DocumentDraft, Vectors]:
    pages = tuple(
        replace(page, text=respeller.respell(page.text, copy, place * 100_000 + page.number))
        for page in original.draft.pages
    )
    content = hashlib.sha256(f"{original.draft.sha256} {copy}".encode()).hexdigest()
    chance = np.random.default_rng((copy, place))
    noise = chance.standard_normal(original.vectors.shape, dtype=np.float32)
    moved = original.vectors + _NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    return f"copy-{copy:04d}/{original.name}", replace(original.draft, sha256=content, pages=pages), moved


def grow(job: dict[str, Any]) -> dict[str, Any]:
    """Write `index` with at least `pages` pages from the index `source`."""
    reader = IndexReader(Path(job["source"]))
    originals = read_originals(reader)
    settings = {name: value for name, value in reader.settings.items() if name not in _RECORDED_ANEW}
    reader.close()
    folder = Path(job["index"])
    counts = {"documents": 0, "pages": 0, "passages": 0}
    started = time.perf_counter()
    with IndexWriter(folder, settings) as writer:
        for batch in _batches(copies(originals, job["pages"])):
            _write(writer, batch, folder.absolute().parent)
            counts["documents"] += len(batch)
            counts["pages"] += sum(len(draft.pages) for _, draft, _ in batch)
            counts["passages"] += sum(len(vectors) for _, _, vectors in batch)
            rate = counts["pages"] / (time.perf_counter() - started)
            print(f"\r{counts['pages']:,} pages, {rate:.0f} a second", end="", file=sys.stderr)
        writer.tidy()
    print(file=sys.stderr)
    return counts


def _batches(documents: Iterator[Any]) -> Iterator[list[Any]]:
    held: list[Any] = []
    for document in documents:
        held.append(document)
        if sum(len(vectors) for _, _, vectors in held) >= _BATCH_PASSAGES:
            yield held
            held = []
    if held:
        yield held


def _write(writer: IndexWriter, documents: list[tuple[str, DocumentDraft, Vectors]], base: Path) -> None:
    with writer.batch() as batch:
        for name, draft, vectors in documents:
            document_id = batch.put_document(draft, vectors)
            path = bytes(base / name)
            batch.put_file(FileRecord(path, name, 1, 1, 1, document_id))


if __name__ == "__main__":
    perform(grow)
