"""
From a file to the drafts of its pages. Runs in worker processes: what is called here may hang, crash or take
all memory it is given.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ragvl import registry
from ragvl.config import PassageConfig, ReadingConfig
from ragvl.errors import ReadError
from ragvl.indexers.page_ocr import PageOcr
from ragvl.indexers.passages import PageDraft, draft_page
from ragvl.indexers.readers.media import PDF, READERS, UNKNOWN
from ragvl.indexers.titles import speaking_title
from ragvl.protocols import OpenDocument, Reader
from ragvl.types import DocumentStatus, PageContent

_OFFICE = "office"
_SECOND_OPINION = "pdfium"
_MEBIBYTE = 1024 * 1024
_WEBP_QUALITY = 85
_QUICKLY = 1  # PNG's least compression: the file is read once, soon
_POINTS_AN_INCH = 72


@dataclass(frozen=True, slots=True)
class Source:
    """
    Where the pages of a document are read from.

    Attributes:
        path: of the document, or of the PDF that it was converted to.
        media_type: of what lies at `path`.
        reader: name of the reader that could open it.
    """

    path: Path
    media_type: str
    reader: str
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that can be read: its pages, its title or "", and what is already known to be wrong with it."""

    source: Source
    page_count: int
    title: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """
    How pages are drawn for the image lane: as PNG files.

    Attributes:
        folder: where the files go; whoever reads them deletes them.
        dpi: dots per inch.
        max_side_px: fewer dots per inch are taken where the longer side would have more pixels.
    """

    folder: Path
    dpi: float
    max_side_px: int


@dataclass(frozen=True, slots=True)
class PagesRead:
    """Pages that were read, those that could not be with the reasons, and what was wrong with the document."""

    pages: tuple[PageDraft, ...]
    failures: tuple[tuple[int, DocumentStatus, str], ...]
    warnings: tuple[str, ...]


def open_document(
    path: Path, media_type: str, password: str | None, config: ReadingConfig, scratch: Path
) -> Opened:
    """
    Find a reader that can open a document, and ask it for what does not need its pages.

    Args:
        scratch: folder in which a converted document may be left for `read_pages`.

    Raises:
        ReadError: with the status that the document gets.
    """
    reader = _reader_for(media_type)
    size = path.stat().st_size
    if size > config.max_file_mb * _MEBIBYTE:
        raise ReadError(
            DocumentStatus.TOO_LARGE,
            f"{size / _MEBIBYTE:.0f} MiB are more than reading.max_file_mb = {config.max_file_mb}",
        )
    if not size:
        raise ReadError(DocumentStatus.EMPTY, "the file holds no bytes")
    if reader == _OFFICE:
        path, media_type, reader = _converted(path, config, scratch), PDF, READERS[PDF]
    source = Source(path, media_type, reader, password)
    try:
        opened = _look(source, config)
    except ReadError as error:
        if media_type != PDF or error.status is not DocumentStatus.CORRUPT:
            raise
        return _second_opinion(source, config, error)
    if not opened.page_count and media_type == PDF:
        return _second_opinion(source, config, ReadError(DocumentStatus.EMPTY, "the document has no pages"))
    if not opened.page_count:
        raise ReadError(DocumentStatus.EMPTY, "the document has no pages")
    return opened


class Shelf:
    """Keeps the document open that was read last: its next pages are likely to be asked for next."""

    def __init__(self, config: ReadingConfig) -> None:
        self._config = config
        self._path: Path | None = None
        self._stack = ExitStack()
        self._open: dict[str, OpenDocument] = {}

    def take(self, source: Source) -> OpenDocument:
        """
        Open a document, or give it when it is open.

        Raises:
            ReadError: it cannot be opened.
        """
        if source.path != self._path:
            self.clear()
            self._path = source.path
        if source.reader not in self._open:
            opened = _open(source, self._config.max_pixels)
            self._open[source.reader] = self._stack.enter_context(opened)
        return self._open[source.reader]

    def clear(self) -> None:
        """Close what is open."""
        self._open.clear()
        self._path = None
        self._stack.close()


def read_pages(
    shelf: Shelf,
    source: Source,
    numbers: Iterable[int],
    ocr: PageOcr,
    passages: PassageConfig,
    drawing: Drawing | None = None,
) -> PagesRead:
    """
    Read some pages, and draw them if told to; a page that cannot be read becomes a failure and the others are kept.

    Raises:
        ReadError: the document cannot be opened.
    """
    document = shelf.take(source)
    drafts: list[PageDraft] = []
    failures: list[tuple[int, DocumentStatus, str]] = []
    for number in numbers:
        try:
            content = ocr.complete(document, _content(shelf, source, number))
            draft = draft_page(content, passages)
            drafts.append(draft if drawing is None else _drawn(document, draft, drawing))
        except ReadError as error:
            failures.append((number, error.status, error.reason))
    return PagesRead(tuple(drafts), tuple(failures), document.warnings)


def _drawn(document: OpenDocument, draft: PageDraft, drawing: Drawing) -> PageDraft:
    """The draft with its page drawn; a page that cannot be drawn keeps its text, and says so."""
    longer_in = max(draft.width_pt, draft.height_pt) / _POINTS_AN_INCH
    dpi = min(drawing.dpi, drawing.max_side_px / longer_in) if longer_in else drawing.dpi
    handle, name = tempfile.mkstemp(".png", dir=drawing.folder)
    try:
        with os.fdopen(handle, "wb") as file:
            document.render(draft.number, dpi).save(file, "PNG", compress_level=_QUICKLY)
    except ReadError as error:
        Path(name).unlink()
        warning = f"cannot be drawn ({error.reason}): only its text is searched"
        return replace(draft, warning="; ".join(filter(None, (draft.warning, warning))))
    return replace(draft, picture=Path(name))


def render_page(
    path: Path, media_type: str, page_number: int, *, dpi: float, password: str | None, config: ReadingConfig
) -> bytes:
    """
    Draw one page as a WebP image; call it in a worker.

    Raises:
        ReadError: the page cannot be drawn.
    """
    reader = _reader_for(media_type)
    with _open(Source(path, media_type, reader, password), config.max_pixels) as document:
        if not 1 <= page_number <= document.page_count:
            raise ReadError(DocumentStatus.CORRUPT, f"there is no page {page_number}")
        buffer = io.BytesIO()
        document.render(page_number, dpi).save(buffer, "WEBP", quality=_WEBP_QUALITY, method=2)
        return buffer.getvalue()


def _reader_for(media_type: str) -> str:
    reader = READERS.get(media_type)
    if reader is None:
        kind = "an unknown kind of file" if media_type == UNKNOWN else f"a file of kind {media_type}"
        raise ReadError(DocumentStatus.UNSUPPORTED, f"{kind} is not read; PDF, office, text and images are")
    return reader


@contextmanager
def _open(source: Source, max_pixels: int) -> Iterator[OpenDocument]:
    reader: Reader
    if source.reader == _SECOND_OPINION:
        # Not in the table of readers: nobody chooses it.
        from ragvl.indexers.readers.pdfium import PdfiumReader

        reader = PdfiumReader()
    else:
        reader = registry.load("reader", source.reader)()
    with reader.open(source.path, password=source.password, max_pixels=max_pixels) as document:
        yield document


def _look(source: Source, config: ReadingConfig) -> Opened:
    with _open(source, config.max_pixels) as document:
        return Opened(source, document.page_count, speaking_title(document.title), document.warnings)


def _second_opinion(source: Source, config: ReadingConfig, first: ReadError) -> Opened:
    second = replace(source, reader=_SECOND_OPINION)
    try:
        opened = _look(second, config)
    except ReadError:
        raise first from None
    if not opened.page_count:
        raise first
    warning = f"PyMuPDF could not read it ({first.reason}); PDFium did"
    return Opened(second, opened.page_count, opened.title, (warning, *opened.warnings))


def _content(shelf: Shelf, source: Source, number: int) -> PageContent:
    """One page; where PyMuPDF fails on it or finds no text, as PDFium sees it when that sees more."""
    document = shelf.take(source)
    if source.media_type != PDF or source.reader == _SECOND_OPINION:
        return document.read_page(number)
    try:
        content = document.read_page(number)
    except ReadError as error:
        return _by_pdfium(shelf, source, number, error)
    # A page whose words are all hidden has a warning; PDFium would bring them back.
    if content.blocks or content.warning:
        return content
    try:
        other = _by_pdfium(shelf, source, number, ReadError(DocumentStatus.EMPTY, "no text"))
    except ReadError:
        return content
    return other if other.blocks else content


def _by_pdfium(shelf: Shelf, source: Source, number: int, first: ReadError) -> PageContent:
    try:
        return shelf.take(replace(source, reader=_SECOND_OPINION)).read_page(number)
    except ReadError:
        raise first from None


def _converted(path: Path, config: ReadingConfig, scratch: Path) -> Path:
    from ragvl.indexers.readers.office import convert_to_pdf

    # By the clock, for it computes elsewhere; well before this worker itself is ended.
    return convert_to_pdf(path, scratch, 2 * config.document_timeout_s)
