"""PDF through PyMuPDF and through PDFium: the same contract, tried on the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragvl.errors import ReadError
from ragvl.protocols import Reader
from ragvl.types import BlockKind, DocumentStatus, PageContent, TextSource
from tests.hostile import flipped, locked_pdf, make_page_pdf, nested_forms, show_text, zero_pages

# PyMuPDF's bindings use types that newer Pythons warn about at import.
pytestmark = pytest.mark.filterwarnings("ignore:builtin type .* has no __module__:DeprecationWarning")

_LIMIT = 4_000_000


@pytest.fixture(params=["pymupdf", "pdfium"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Each of the two readers."""
    if request.param == "pdfium":
        from ragvl.indexers.readers.pdfium import PdfiumReader

        return PdfiumReader()
    from ragvl.indexers.readers.mupdf import MuPdfReader

    return MuPdfReader()


def _page(reader: Reader, path: Path, content: bytes, number: int = 1) -> PageContent:
    path.write_bytes(content)
    with reader.open(path, password=None, max_pixels=_LIMIT) as document:
        return document.read_page(number)


def _lines(page: PageContent) -> list[str]:
    return [" ".join(word.text for word in line.words) for block in page.blocks for line in block.lines]


def test_words_have_boxes_from_the_top_left(reader: Reader, tmp_path: Path) -> None:
    """A word near the top of an A4 page has a small y."""
    page = _page(reader, tmp_path / "a.pdf", make_page_pdf(show_text("Hello world", x=72, y=800)))
    ((word, _),) = [line.words for block in page.blocks for line in block.lines]
    x0, y0, x1, y1 = word.bbox_pt
    assert (round(page.width_pt), round(page.height_pt)) == (595, 842)
    assert TextSource.LAYER is page.text_source
    assert word.text == "Hello"
    assert 71 < x0 < 74 and 98 < x1 < 102
    assert 26 < y0 < 36 and 40 < y1 < 48


@pytest.mark.parametrize(
    ("turn", "expected"), [(0, (72, 42)), (90, (700, 72)), (180, (523, 800)), (270, (142, 523))]
)
def test_a_turned_page_is_measured_as_it_is_shown(
    reader: Reader, tmp_path: Path, turn: int, expected: tuple[int, int]
) -> None:
    """Boxes lie where a reader sees the word: its first letter's foot is the given place, turned."""
    y = 800 if turn in {0, 180} else 700
    source = make_page_pdf(show_text("Hello", x=72, y=y, size=12), extra=b"/Rotate %d" % turn)
    page = _page(reader, tmp_path / "a.pdf", source)
    (x0, y0, x1, y1) = page.blocks[0].lines[0].words[0].bbox_pt
    assert (page.width_pt > page.height_pt) == (turn in {90, 270})
    x, y = expected
    assert x0 - 8 <= x <= x1 + 8
    assert y0 - 8 <= y <= y1 + 8
    assert (y1 - y0 > x1 - x0) == (turn in {90, 270})


def test_an_offset_page_begins_at_its_own_corner(reader: Reader, tmp_path: Path) -> None:
    """Media boxes that do not begin at 0 and crop boxes within them move the words, and both readers agree."""
    source = make_page_pdf(
        show_text("Hello", x=172, y=900), media_box=b"100 100 700 1000", extra=b"/CropBox [150 200 600 950]"
    )
    page = _page(reader, tmp_path / "a.pdf", source)
    x0, _, _, y1 = page.blocks[0].lines[0].words[0].bbox_pt
    assert (round(page.width_pt), round(page.height_pt)) == (450, 750)
    assert 21 < x0 < 25
    assert 48 < y1 < 56


def test_table_rows_and_headings_are_found(reader: Reader, tmp_path: Path) -> None:
    """What the layout makes of words holds for both readers."""
    body = b"".join(
        show_text(f"Running text of the body, line {i}, ends here.", y=600 - 14 * i) for i in range(6)
    )
    rows = b"".join(
        show_text(label, y=700 - 16 * i)
        + show_text(first, x=350, y=700 - 16 * i)
        + show_text(second, x=450, y=700 - 16 * i)
        for i, (label, first, second) in enumerate(
            [("Total revenue", "6,779", "5,504"), ("Net income", "(122)", "98")]
        )
    )
    page = _page(
        reader, tmp_path / "a.pdf", make_page_pdf(show_text("Results", y=760, size=20) + rows + body)
    )
    assert _lines(page)[:3] == ["Results", "Total revenue 6,779 5,504", "Net income (122) 98"]
    assert [block.kind for block in page.blocks][:2] == [BlockKind.HEADING, BlockKind.TABLE]


def test_a_huge_page_is_drawn_small(reader: Reader, tmp_path: Path) -> None:
    """The number of pixels is what is limited, not the resolution."""
    (tmp_path / "a.pdf").write_bytes(make_page_pdf(b"", media_box=b"0 0 14400 14400"))
    with reader.open(tmp_path / "a.pdf", password=None, max_pixels=_LIMIT) as document:
        image = document.render(1, 300)
    assert image.mode == "RGB"
    assert 0.9 * _LIMIT < image.width * image.height <= _LIMIT


def test_a_locked_document_says_so(reader: Reader, tmp_path: Path) -> None:
    """Without its password, or with a wrong one, a document is locked."""
    (tmp_path / "a.pdf").write_bytes(locked_pdf())
    for password in (None, "wrong"):
        with (
            pytest.raises(ReadError) as caught,
            reader.open(tmp_path / "a.pdf", password=password, max_pixels=_LIMIT),
        ):
            pass
        assert DocumentStatus.LOCKED is caught.value.status


def test_a_file_that_is_no_pdf_is_corrupt(reader: Reader, tmp_path: Path) -> None:
    """Neither reader makes anything of noise."""
    (tmp_path / "a.pdf").write_bytes(b"\x00\x01\x02" * 500)
    with (
        pytest.raises(ReadError) as caught,
        reader.open(tmp_path / "a.pdf", password=None, max_pixels=_LIMIT),
    ):
        pass
    assert DocumentStatus.CORRUPT is caught.value.status


def test_figures_are_found_largest_first(reader: Reader, tmp_path: Path) -> None:
    """Inline pictures count; their boxes are where they are shown."""
    picture = b"q %d 0 0 %d %d %d cm BI /W 1 /H 1 /CS /G /BPC 8 ID \xff EI Q\n"
    source = make_page_pdf(picture % (50, 50, 10, 10) + picture % (200, 100, 300, 642))
    (tmp_path / "a.pdf").write_bytes(source)
    with reader.open(tmp_path / "a.pdf", password=None, max_pixels=_LIMIT) as document:
        boxes = [tuple(map(round, box)) for box in document.figure_boxes(1)]
    assert boxes == [(300, 100, 500, 200), (10, 782, 60, 832)]


def test_a_repaired_file_has_a_warning(tmp_path: Path) -> None:
    """MuPDF mends what it can; that it had to is told."""
    from ragvl.indexers.readers.mupdf import MuPdfReader

    (tmp_path / "a.pdf").write_bytes(make_page_pdf(show_text("Hello"))[:-200])
    with MuPdfReader().open(tmp_path / "a.pdf", password=None, max_pixels=_LIMIT) as document:
        document.read_page(1)
        assert "the file is damaged and was repaired" in document.warnings


def test_a_document_without_pages_opens(tmp_path: Path) -> None:
    """No pages is a legal answer of the reader; the caller names it."""
    from ragvl.indexers.readers.mupdf import MuPdfReader

    (tmp_path / "a.pdf").write_bytes(zero_pages())
    with MuPdfReader().open(tmp_path / "a.pdf", password=None, max_pixels=_LIMIT) as document:
        assert document.page_count == 0


def test_the_bombs_are_small() -> None:
    """What hangs a reader costs nothing to send."""
    assert len(nested_forms()) < 3500
    assert flipped(b"\x00" * 100) != b"\x00" * 100
