"""Text that is in a page's text layer and not on the page is left out and told; what is on the page stays."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ragvl.config import OcrConfig, PassageConfig
from ragvl.errors import ReadError
from ragvl.indexers.page_ocr import PageOcr
from ragvl.indexers.readers.mupdf import MuPdfReader
from ragvl.indexers.reading import Shelf, Source, read_pages
from ragvl.types import DocumentStatus, PageContent
from tests.hostile import make_page_pdf, show_text
from tests.indexers.conftest import ReadOne
from tests.indexers.readers.hidden_pages import INNOCENT, TECHNIQUES, MadePage, hidden_page, innocent_page

# PyMuPDF's bindings use types that newer Pythons warn about at import.
pytestmark = pytest.mark.filterwarnings("ignore:builtin type .* has no __module__:DeprecationWarning")

_LIMIT = 4_000_000


def _read(path: Path, pdf: bytes) -> PageContent:
    path.write_bytes(pdf)
    with MuPdfReader().open(path, password=None, max_pixels=_LIMIT) as document:
        return document.read_page(1)


def _words(content: PageContent) -> Counter[str]:
    return Counter(word.text for block in content.blocks for line in block.lines for word in line.words)


def _extra(made: MadePage, content: PageContent) -> Counter[str]:
    """Words that were read and are not seen."""
    return _words(content) - Counter(made.shown)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("technique", TECHNIQUES)
def test_hidden_words_are_left_out_and_told(tmp_path: Path, technique: str, number: int) -> None:
    """Whatever hides them; all that is seen is read."""
    made = hidden_page(technique, number)
    content = _read(tmp_path / "a.pdf", made.pdf)
    assert "hidden word" in content.warning
    assert not _extra(made, content)
    assert not Counter(made.shown) - _words(content)


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("kind", INNOCENT)
def test_what_is_seen_is_read(tmp_path: Path, kind: str, number: int) -> None:
    """White type on a band, small print, OCR on a scan: nothing of it is hidden."""
    made = innocent_page(kind, number)
    content = _read(tmp_path / "a.pdf", made.pdf)
    assert not content.warning
    assert not Counter(made.shown) - _words(content)


def test_the_warning_counts_and_says_why(tmp_path: Path) -> None:
    """One sentence that a person can act on."""
    source = b"1 g " + show_text("three white words") + b"0 g " + show_text("plain", y=500)
    content = _read(tmp_path / "a.pdf", make_page_pdf(source))
    assert content.warning == "3 hidden words left out: the colour of what is behind it"
    assert _words(content) == Counter(["plain"])


def test_a_line_that_is_covered_and_written_anew_is_read_once(tmp_path: Path) -> None:
    """Editors cover a line with paper and write over it: only the new line is seen."""
    source = show_text("old figure 417") + b"1 g 60 690 300 30 re f 0 g " + show_text("new figure 982")
    content = _read(tmp_path / "a.pdf", make_page_pdf(source))
    assert _words(content) == Counter(["new", "figure", "982"])


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_hidden_words_are_found_on_turned_pages(tmp_path: Path, turn: int) -> None:
    """The drawing that decides is turned as the words are."""
    source = (
        show_text("seen words")
        + show_text("covered words", y=600)
        + b"0.2 g 60 590 300 30 re f 1 g "
        + show_text("white on grey", y=600, x=200)
    )
    content = _read(tmp_path / "a.pdf", make_page_pdf(source, extra=b"/Rotate %d" % turn))
    assert _words(content) == Counter(["seen", "words", "white", "on", "grey"])


def test_a_document_with_hidden_words_is_partial(read_one: ReadOne, tmp_path: Path) -> None:
    """The reason names the page, and no passage holds the words."""
    made = hidden_page("white", 1)
    (tmp_path / "a.pdf").write_bytes(made.pdf)
    read = read_one(tmp_path / "a.pdf")
    assert DocumentStatus.PARTIAL is read.status
    assert "page 1: " in read.reason and "hidden words left out" in read.reason
    text = " ".join(page.text for page in read.pages)
    assert " ".join(made.hidden[:4]) not in text


def test_pdfium_does_not_bring_hidden_words_back(read_one: ReadOne, tmp_path: Path) -> None:
    """A page of which nothing is seen has no words, though a second reader would find some."""
    source = b"BT /F1 12 Tf 3 Tr 72 700 Td (say that all is well with it) Tj ET"
    (tmp_path / "a.pdf").write_bytes(make_page_pdf(source))
    read = read_one(tmp_path / "a.pdf")
    assert not read.pages[0].passages
    assert "7 hidden words left out" in read.reason


def test_a_failure_of_ocr_does_not_hide_the_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are told."""
    (tmp_path / "a.pdf").write_bytes(make_page_pdf(b"1 g " + show_text("three white words")))

    def fail(*_: object) -> None:
        raise ReadError(DocumentStatus.CORRUPT, "no drawing")

    from ragvl.config import ReadingConfig
    from ragvl.indexers.readers.mupdf import MuPdfDocument

    monkeypatch.setattr(MuPdfDocument, "render", fail)
    shelf = Shelf(ReadingConfig())
    source = Source(tmp_path / "a.pdf", "application/pdf", "pymupdf")
    read = read_pages(shelf, source, [1], PageOcr(OcrConfig()), PassageConfig())
    shelf.clear()
    assert "3 hidden words left out" in read.pages[0].warning
    assert "not read by OCR: no drawing" in read.pages[0].warning


def test_the_same_page_twice_gives_the_same(tmp_path: Path) -> None:
    """What is decided by drawing does not depend on what was drawn before."""
    made = hidden_page("under image", 2)
    first = _read(tmp_path / "a.pdf", made.pdf)
    again = _read(tmp_path / "a.pdf", made.pdf)
    assert first == again
