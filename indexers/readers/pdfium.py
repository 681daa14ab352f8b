"""PDF through PDFium: the second opinion on files that PyMuPDF cannot read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_double, c_int
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from ragvl.errors import ReadError
from ragvl.indexers.readers.cleaning import clean_word
from ragvl.indexers.readers.layout import LaidWord, lay_out
from ragvl.indexers.readers.order import blocks_of
from ragvl.indexers.readers.scale import scale_within
from ragvl.types import BBox, DocumentStatus, PageContent, TextSource, Word

_STEPS_A_POINT = 64  # PDFium gives places on the displayed page as whole numbers of what one asks for
_BOLD_WEIGHT = 600
_LEAP = 1.5  # white between two cells, in font sizes


class PdfiumReader:
    """Reader for PDF."""

    @contextmanager
    def open(self, path: Path, *, password: str | None, max_pixels: int) -> Iterator[PdfiumDocument]:
        """
        Open a document.

        Raises:
            ReadError: LOCKED or CORRUPT.
        """
        try:
            document = pypdfium2.PdfDocument(path, password=password)
        except pypdfium2.PdfiumError as error:
            locked = getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD
            status = DocumentStatus.LOCKED if locked else DocumentStatus.CORRUPT
            raise ReadError(status, f"could not be opened: {error}") from None
        try:
            yield PdfiumDocument(document, max_pixels)
        finally:
            document.close()


class PdfiumDocument:
    """An open document; see `ragvl.protocols.OpenDocument`."""

    def __init__(self, document: Any, max_pixels: int) -> None:
        self._document = document
        self._max_pixels = max_pixels

    @property
    def page_count(self) -> int:
        """Number of pages."""
        return len(self._document)

    @property
    def title(self) -> str:
        """The title in the metadata, or ""."""
        title = self._document.get_metadata_value("Title") or ""
        return " ".join(filter(None, map(clean_word, title.split())))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Always empty: PDFium does not tell what it repairs."""
        return ()

    def read_page(self, page_number: int) -> PageContent:
        """
        Read the words of one page.

        Raises:
            ReadError: the page cannot be read.
        """
        with self._page(page_number) as page:
            width, height = page.get_size()
            text = page.get_textpage()
            try:
                lines = [cell for line in _lines(page, text) for cell in _cells(line)]
            finally:
                text.close()
        blocks = lay_out(_laid(lines))
        return PageContent(
            page_number, width, height, blocks, TextSource.LAYER if blocks else TextSource.NONE
        )

    def figure_boxes(self, page_number: int) -> tuple[BBox, ...]:
        """Boxes of the raster images on one page, largest first."""
        with self._page(page_number) as page:
            images = page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])
            boxes = {_displayed(page, *image.get_bounds()) for image in images}
        return tuple(sorted(boxes, key=lambda box: ((box[0] - box[2]) * (box[3] - box[1]), box)))

    def render(self, page_number: int, dpi: float) -> Image.Image:
        """
        Draw one page, at fewer dots per inch when it would pass `max_pixels`.

        Raises:
            ReadError: the page cannot be drawn.
        """
        with self._page(page_number) as page:
            width, height = page.get_size()
            scale = scale_within(width, height, dpi, self._max_pixels)
            image: Image.Image = page.render(scale=scale, rev_byteorder=True).to_pil()
            return image.convert("RGB")

    @contextmanager
    def _page(self, page_number: int) -> Iterator[Any]:
        try:
            page = self._document[page_number - 1]
        except pypdfium2.PdfiumError as error:
            raise ReadError(
                DocumentStatus.CORRUPT, f"page {page_number} could not be read: {error}"
            ) from None
        try:
            yield page
        except pypdfium2.PdfiumError as error:
            raise ReadError(
                DocumentStatus.CORRUPT, f"page {page_number} could not be read: {error}"
            ) from None
        finally:
            page.close()


class _Line:
    """A line as PDFium tells it: words, the size of the type, and whether it is bold."""

    def __init__(self, size: float, bold: bool) -> None:
        self.size = size
        self.bold = bold
        self.words: list[Word] = []

    @property
    def box(self) -> BBox:
        x0, y0, x1, y1 = zip(*(word.bbox_pt for word in self.words), strict=True)
        return min(x0), min(y0), max(x1), max(y1)


def _lines(page: Any, text: Any) -> Iterator[_Line]:
    line: _Line | None = None
    letters: list[str] = []
    boxes: list[BBox] = []

    def end_word() -> None:
        word = clean_word("".join(letters))
        if line is not None and word and boxes:
            x0, y0, x1, y1 = zip(*boxes, strict=True)
            line.words.append(Word(word, (min(x0), min(y0), max(x1), max(y1))))
        letters.clear()
        boxes.clear()

    for index in range(raw.FPDFText_CountChars(text)):
        code = raw.FPDFText_GetUnicode(text, index)
        char = chr(code) if code < 0x110000 else "\ufffd"
        if char in "\r\n":
            end_word()
            if line is not None and line.words:
                yield line
            line = None
        elif char.isspace():
            end_word()
        else:
            if line is None:
                size = raw.FPDFText_GetFontSize(text, index)
                line = _Line(size, raw.FPDFText_GetFontWeight(text, index) >= _BOLD_WEIGHT)
            letters.append(char)
            boxes.append(_char_box(page, text, index))
    end_word()
    if line is not None and line.words:
        yield line


def _cells(line: _Line) -> Iterator[_Line]:
    """PDFium reads across the gaps of a table: part a line where it leaps."""
    cell = _Line(line.size, line.bold)
    for word in line.words:
        if cell.words and word.bbox_pt[0] - cell.words[-1].bbox_pt[2] > _LEAP * line.size:
            yield cell
            cell = _Line(line.size, line.bold)
        cell.words.append(word)
    yield cell


def _laid(lines: list[_Line]) -> list[LaidWord]:
    return [
        LaidWord(word.text, word.bbox_pt, block, member, lines[member].size, lines[member].bold)
        for block, members in enumerate(blocks_of([line.box for line in lines]))
        for member in members
        for word in lines[member].words
    ]


def _char_box(page: Any, text: Any, index: int) -> BBox:
    left, right, bottom, top = c_double(), c_double(), c_double(), c_double()
    raw.FPDFText_GetCharBox(text, index, byref(left), byref(right), byref(bottom), byref(top))
    return _displayed(page, left.value, bottom.value, right.value, top.value)


def _displayed(page: Any, left: float, bottom: float, right: float, top: float) -> BBox:
    """A box of the page's own space on the page as displayed."""
    width, height = (round(side * _STEPS_A_POINT) for side in page.get_size())
    places = []
    for x, y in ((left, bottom), (right, top)):
        place_x, place_y = c_int(), c_int()
        raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, byref(place_x), byref(place_y))
        places.append((place_x.value / _STEPS_A_POINT, place_y.value / _STEPS_A_POINT))
    (x0, y0), (x1, y1) = places
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
