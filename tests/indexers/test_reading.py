"""Which reader a file gets, when a second one is asked, and what is kept of a bad page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragvl import registry
from ragvl.config import OcrConfig, PassageConfig, ReadingConfig
from ragvl.errors import ReadError
from ragvl.indexers import reading
from ragvl.indexers.page_ocr import PageOcr
from ragvl.indexers.passages import draft_page
from ragvl.indexers.reading import Shelf, open_document, read_pages
from ragvl.indexers.titles import largest_line, speaking_title
from ragvl.types import Block, BlockKind, DocumentStatus, Line, PageContent, TextSource, Word
from tests.hostile import good_pdf, make_page_pdf, show_text

pytestmark = pytest.mark.filterwarnings("ignore:builtin type .* has no __module__:DeprecationWarning")

_CONFIG = ReadingConfig(ocr=OcrConfig(pages=False, figures=False))


class _Document:
    """A document whose pages are given: a text, or the error that reading it raises."""

    title = ""
    warnings = ()

    def __init__(self, pages: list[str | ReadError]) -> None:
        self._pages = pages
        self.page_count = len(pages)

    def read_page(self, page_number: int) -> PageContent:
        """The text given, as one word a page."""
        text = self._pages[page_number - 1]
        if isinstance(text, ReadError):
            raise text
        words = (Word(text, (0.0, 0.0, 10.0, 10.0)),) if text else ()
        blocks = (Block(BlockKind.TEXT, (Line(words),)),) if words else ()
        return PageContent(page_number, 100.0, 100.0, blocks, TextSource.LAYER)


def _reader(answer: _Document | ReadError) -> type:
    class Reader:
        opened = 0

        @contextmanager
        def open(self, path: Path, *, password: str | None, max_pixels: int) -> Iterator[_Document]:
            type(self).opened += 1
            if isinstance(answer, ReadError):
                raise answer
            yield answer

    return Reader


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The table of readers, to be filled by a test."""
    table: dict[str, Any] = {}
    monkeypatch.setattr(registry, "load", lambda kind, name: table[name])
    monkeypatch.setattr("ragvl.indexers.readers.pdfium.PdfiumReader", lambda: table["pdfium"]())
    return table


def _open(tmp_path: Path) -> reading.Opened:
    (tmp_path / "a.pdf").write_bytes(b"x")
    return open_document(tmp_path / "a.pdf", "application/pdf", None, _CONFIG, tmp_path)


def _read(opened: reading.Opened, *numbers: int) -> reading.PagesRead:
    return read_pages(Shelf(_CONFIG), opened.source, numbers, PageOcr(_CONFIG.ocr), PassageConfig())


@pytest.mark.parametrize("first", [ReadError(DocumentStatus.CORRUPT, "broken"), _Document([])])
def test_pdfium_is_asked_when_pymupdf_fails(
    tmp_path: Path, readers: dict[str, Any], first: _Document | ReadError
) -> None:
    """An error or a document without pages is looked at again, and the document says who read it."""
    readers.update(pymupdf=_reader(first), pdfium=_reader(_Document(["text"])))
    opened = _open(tmp_path)
    assert (opened.page_count, opened.source.reader) == (1, "pdfium")
    assert "PDFium did" in opened.warnings[0]
    assert [page.text for page in _read(opened, 1).pages] == ["text"]


def test_when_both_fail_the_first_speaks(tmp_path: Path, readers: dict[str, Any]) -> None:
    """The second opinion does not hide what was wrong."""
    readers.update(
        pymupdf=_reader(ReadError(DocumentStatus.CORRUPT, "first")),
        pdfium=_reader(ReadError(DocumentStatus.CORRUPT, "second")),
    )
    with pytest.raises(ReadError, match="first"):
        _open(tmp_path)


def test_a_locked_document_needs_no_second_opinion(tmp_path: Path, readers: dict[str, Any]) -> None:
    """A password is missing, whoever asks."""
    readers.update(
        pymupdf=_reader(ReadError(DocumentStatus.LOCKED, "password")), pdfium=_reader(_Document(["text"]))
    )
    with pytest.raises(ReadError, match="password"):
        _open(tmp_path)


def test_pages_without_text_are_looked_at_again(tmp_path: Path, readers: dict[str, Any]) -> None:
    """PDFium reads what PyMuPDF finds empty or fails on; what neither can read is one page's failure."""
    broken = ReadError(DocumentStatus.CORRUPT, "page broken")
    readers.update(
        pymupdf=_reader(_Document(["one", "", broken, broken, ""])),
        pdfium=_reader(_Document(["-", "two", "three", broken, ""])),
    )
    opened = _open(tmp_path)
    read = _read(opened, 1, 2, 3, 4, 5)
    assert [(page.number, page.text) for page in read.pages] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
        (5, ""),
    ]
    assert read.failures == ((4, DocumentStatus.CORRUPT, "page broken"),)


def test_a_document_stays_open_between_its_tasks(tmp_path: Path, readers: dict[str, Any]) -> None:
    """Opening an e-book lays it out: that is done once, until another document is asked for."""
    readers["pymupdf"] = _reader(_Document(["one", "two"]))
    source = _open(tmp_path).source
    shelf = Shelf(_CONFIG)
    first = shelf.take(source)
    assert first is shelf.take(source)
    assert readers["pymupdf"].opened == 2
    shelf.take(replace(source, path=tmp_path / "b.pdf"))
    assert readers["pymupdf"].opened == 3


def test_a_file_past_the_limit_is_not_opened(tmp_path: Path) -> None:
    """The setting that refuses it is named."""
    with (tmp_path / "a.pdf").open("wb") as file:
        file.truncate(2 * 1024 * 1024)
    small = _CONFIG.model_copy(update={"max_file_mb": 1})
    with pytest.raises(ReadError, match="max_file_mb") as caught:
        open_document(tmp_path / "a.pdf", "application/pdf", None, small, tmp_path)
    assert DocumentStatus.TOO_LARGE is caught.value.status


def test_an_unknown_kind_is_unsupported(tmp_path: Path) -> None:
    """What would be read is told."""
    with pytest.raises(ReadError, match="PDF, office, text and images") as caught:
        open_document(tmp_path / "a", "application/octet-stream", None, _CONFIG, tmp_path)
    assert DocumentStatus.UNSUPPORTED is caught.value.status


def test_a_real_page_becomes_a_draft(tmp_path: Path) -> None:
    """From bytes to text, words and passages, with the readers themselves."""
    (tmp_path / "a.pdf").write_bytes(good_pdf())
    opened = open_document(tmp_path / "a.pdf", "application/pdf", None, _CONFIG, tmp_path)
    (page,) = _read(opened, 1).pages
    assert page.text == "The harbour crane lifts forty tonnes."
    assert ((0, len(page.text)),) == tuple((passage.start, passage.end) for passage in page.passages)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Annual Report 2021", "Annual Report 2021"),
        ("Microsoft Word - Annual report", "Annual report"),
        ("Untitled-1", ""),
        ("0000320187-21-000028", ""),
        ("report_final.docx", ""),
        ("", ""),
    ],
)
def test_titles_that_programs_put_there_are_not_titles(given: str, expected: str) -> None:
    """A file name or a number says nothing."""
    assert expected == speaking_title(given)


def test_a_document_without_a_title_goes_by_its_largest_line(tmp_path: Path) -> None:
    """What stands largest on the first page is what people would call it; both of its lines count."""
    source = make_page_pdf(
        show_text("FORM 10-K", y=780)
        + show_text("Annual report", y=700, size=30)
        + show_text("of the harbour", y=660, size=30)
        + show_text("Some running text that is not large.", y=600)
    )
    (tmp_path / "a.pdf").write_bytes(source)
    opened = open_document(tmp_path / "a.pdf", "application/pdf", None, _CONFIG, tmp_path)
    assert largest_line(_read(opened, 1).pages[0]) == "Annual report of the harbour"
    assert largest_line(draft_page(PageContent(1, 10, 10, (), TextSource.NONE), PassageConfig())) == ""
