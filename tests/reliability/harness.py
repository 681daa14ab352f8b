"""What the reliability scripts share: an index without reading files, documents, searches, and a run's verdict."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from PIL import Image

import ragvl
from ragvl.config import Config, ImageConfig, PassageConfig
from ragvl.indexers.manifest import manifest
from ragvl.indexers.passages import PageDraft, draft_page, embedding_text
from ragvl.indexers.store.forms import PageEntry, lane_forms
from ragvl.indexers.store.records import DocumentDraft, FileRecord
from ragvl.indexers.store.segments import IMAGE_LANE
from ragvl.indexers.store.writer import Batch, IndexWriter
from ragvl.indexers.words import unpack_words
from ragvl.library import Library
from ragvl.protocols import PageView
from ragvl.testing import HashEncoder, HashPageEncoder, make_pdf
from ragvl.types import Block, BlockKind, DocumentStatus, Line, PageContent, TextSource, Word

ENCODER = HashEncoder()
PAGES = HashPageEncoder()
SETTINGS = {"profile": "embedded", **manifest(Config(), ENCODER, None)}
_PAGED = Config(image=ImageConfig(encoder=PAGES.name, model=PAGES.name))
_PAGED_SETTINGS = {"profile": "embedded", **manifest(_PAGED, ENCODER, PAGES)}
_FORMS = lane_forms(_PAGED_SETTINGS)
_SHEET = Image.new("RGB", (4, 4), "white")
QUERIES = ("crane harbour", "tide table of the north pier", "invoice 7", "note 12 storm", "the page two")
WORDS = (
    *("harbour", "crane", "tide", "pier", "storm", "invoice", "cargo", "pilot"),
    *("anchor", "ledger", "berth", "signal", "rope", "vessel", "quay", "gale"),
)

Result = tuple[str, int, float]


def make_draft(*pages: str, status: DocumentStatus = DocumentStatus.OK) -> DocumentDraft:
    """A document as if it had been read: each page one text, each line of it a paragraph."""
    drafts = tuple(
        draft_page(_content(number, text), PassageConfig()) for number, text in enumerate(pages, start=1)
    )
    sha256 = hashlib.sha256("\f".join(pages).encode()).hexdigest()
    return DocumentDraft(sha256, "text/plain", "", len(pages), status, "", drafts)


def put(batch: Batch, name: str, *pages: str) -> int:
    """Add a document and its file."""
    draft = make_draft(*pages)
    texts = [
        embedding_text(passage.heading, page.text[passage.start : passage.end])
        for page in draft.pages
        for passage in page.passages
    ]
    pages = {page.number: make_entry(page) for page in draft.pages if IMAGE_LANE in batch.lanes}
    document_id = batch.put_document(draft, ENCODER.encode_passages(texts), pages)
    batch.put_file(make_file(name, document_id))
    return document_id


def make_entry(page: PageDraft) -> PageEntry:
    """What the image lane keeps of a page."""
    words = unpack_words(page.words, page.width_pt, page.height_pt)
    view = PageView(_SHEET, page.text, words, page.width_pt, page.height_pt)
    return _FORMS.page_entry(PAGES.encode_pages([view])[0], page.width_pt, page.height_pt)


def make_file(name: str, document_id: int) -> FileRecord:
    """A file that holds a document."""
    return FileRecord(name.encode(), name, 100, 10**18, 2 * 10**18, document_id)


def open_writer(folder: Path, *, paged: bool = False) -> IndexWriter:
    """Open an index for writing, made when it is not there: with an image lane if it is `paged`."""
    return IndexWriter(folder, _PAGED_SETTINGS if paged else SETTINGS)


def open_library(folder: Path, *, paged: bool = True) -> Library:
    """Open an index that was made with the hash encoders; one that is made now gets an image lane if it is `paged`."""
    return ragvl.open(folder, encoder=ENCODER, page_encoder=PAGES if paged else None)


def results(library: Library, queries: Sequence[str] = QUERIES, k: int = 20) -> list[list[Result]]:
    """What each query finds: path, page number, score."""
    return [
        [(hit.page.document.path, hit.page.number, round(hit.score, 9)) for hit in library.search(query, k=k)]
        for query in queries
    ]


def make_documents(folder: Path, count: int, seed: int) -> None:
    """Write text, Markdown and PDF files, each with a word that no other has: `only` and its number."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        texts = [_sentence(chance, f"only{number} page {page}") for page in ("one", "two")]
        if number % 4 == 3:
            (folder / f"report-{number:03d}.pdf").write_bytes(make_pdf(texts))
        elif number % 4 == 2:
            (folder / f"paper-{number:03d}.md").write_text(f"# Note {number}\n\n{texts[0]}\n\n{texts[1]}\n")
        else:
            (folder / f"note-{number:03d}.txt").write_text(f"Note {number}\n\n{texts[0]}\n")


def own_word(path: str) -> str:
    """The word that only the document of this path holds."""
    return f"only{int(path.rpartition('-')[2].partition('.')[0])}"


def finish(figures: dict[str, object], failures: Sequence[str], began: float) -> NoReturn:
    """Print the figures and what went wrong, and end with 0 or 1."""
    for failure in failures[:20]:
        sys.stderr.write(f"FAILED: {failure}\n")
    verdict = {**figures, "failures": len(failures), "seconds": round(time.monotonic() - began, 1)}
    sys.stdout.write(json.dumps(verdict) + "\n")
    sys.stdout.flush()
    os._exit(1 if failures else 0)


def _sentence(chance: random.Random, begin: str) -> str:
    return f"{begin} {' '.join(chance.choices(WORDS, k=30))}."


def _content(number: int, text: str) -> PageContent:
    blocks = []
    for row, line in enumerate(text.splitlines()):
        top = 72.0 + 14 * row
        words = tuple(
            Word(word, (72.0 + 30 * column, top, 98.0 + 30 * column, top + 11))
            for column, word in enumerate(line.split())
        )
        blocks.append(Block(BlockKind.TEXT, (Line(words),)))
    return PageContent(number, 595.0, 842.0, tuple(blocks), TextSource.LAYER)
