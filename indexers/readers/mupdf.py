"""PDF, EPUB, XPS, CBZ and SVG through PyMuPDF."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from ragvl.errors import ReadError
from ragvl.indexers.readers.archives import check_archive
from ragvl.indexers.readers.cleaning import clean_word
from ragvl.indexers.readers.hidden import Found, HiddenText, TextLayer
from ragvl.indexers.readers.layout import LaidWord, lay_out
from ragvl.indexers.readers.pymupdf_late import import_pymupdf
from ragvl.indexers.readers.scale import scale_within
from ragvl.types import BBox, DocumentStatus, PageContent, TextSource, Word

pymupdf = import_pymupdf()

_BOLD = pymupdf.TEXT_FONT_BOLD
_MAX_ARCHIVE_BYTES = 512 * 1024 * 1024
_UPRIGHT = 0.97  # cosine of the largest slant of a line that still counts as level

# Notes on colour and on invisible structure: nothing that is shown or read goes missing.
_HARMLESS = (
    "color space",
    "colorspace",
    "ICC",
    "ActualText",
    "... repeated",
    "bogus font ascent",
    "font bbox",
)


class MuPdfReader:
    """Reader for everything that MuPDF opens by itself."""

    @contextmanager
    def open(self, path: Path, *, password: str | None, max_pixels: int) -> Iterator[MuPdfDocument]:
        """
        Open a document.

        Raises:
            ReadError: LOCKED, CORRUPT or TOO_LARGE.
        """
        check_archive(path, _MAX_ARCHIVE_BYTES)
        pymupdf.TOOLS.reset_mupdf_warnings()
        with ExitStack() as stack:
            with explained("opened"):
                document = stack.enter_context(_open(path, stack))
            if document.needs_pass and not document.authenticate(password or ""):
                raise ReadError(
                    DocumentStatus.LOCKED, "needs a password" if not password else "wrong password"
                )
            yield MuPdfDocument(document, max_pixels)
        # What MuPDF keeps of one document is of no use to the next.
        pymupdf.TOOLS.store_shrink(100)


class MuPdfDocument:
    """An open document; see `ragvl.protocols.OpenDocument`."""

    def __init__(self, document: Any, max_pixels: int) -> None:
        self._document = document
        self._max_pixels = max_pixels
        self._warnings: dict[str, None] = {}
        self._hidden = HiddenText(document)
        self._images: dict[int, list[BBox]] = {}
        with explained("counted"):
            self._page_count = int(document.page_count)

    @property
    def page_count(self) -> int:
        """Number of pages."""
        return self._page_count

    @property
    def title(self) -> str:
        """The title in the metadata, or ""."""
        title = (self._document.metadata or {}).get("title") or ""
        return " ".join(filter(None, map(clean_word, title.split())))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What MuPDF repaired or could not read."""
        if self._document.is_pdf and self._document.is_repaired:
            self._warnings["the file is damaged and was repaired"] = None
        for line in pymupdf.TOOLS.mupdf_warnings().splitlines():
            if not any(note in line for note in _HARMLESS):
                self._warnings[line.strip()] = None
        return tuple(self._warnings)

    def read_page(self, page_number: int) -> PageContent:
        """
        Read the words of one page, without those that nobody sees on it.

        Raises:
            ReadError: the page cannot be read.
        """
        with explained(f"page {page_number} read"):
            page = self._document[page_number - 1]
            layer, found = self._hidden.look(page)
            words = list(_words(layer, found))
            width, height = page.rect.width, page.rect.height
        # Where the images are is asked next, and was found on the way.
        self._images = {page_number: layer.images}
        blocks = lay_out(words)
        source = TextSource.LAYER if blocks else TextSource.NONE
        return PageContent(page_number, width, height, blocks, source, found.warning)

    def figure_boxes(self, page_number: int) -> tuple[BBox, ...]:
        """Boxes of the raster images on one page, largest first."""
        with explained(f"images of page {page_number} found"):
            page = self._document[page_number - 1]
            turned, bounds = page.rotation_matrix, page.rect
            found = self._images.get(page_number)
            if found is None:
                found = [info["bbox"] for info in page.get_image_info()]
            boxes = {tuple(pymupdf.Rect(box) * turned & bounds) for box in found}
        shown = [box for box in boxes if box[2] > box[0] and box[3] > box[1]]
        return tuple(sorted(shown, key=lambda box: ((box[0] - box[2]) * (box[3] - box[1]), box)))

    def render(self, page_number: int, dpi: float) -> Image.Image:
        """
        Draw one page, at fewer dots per inch when it would pass `max_pixels`.

        Raises:
            ReadError: the page cannot be drawn.
        """
        with explained(f"page {page_number} drawn"):
            page = self._document[page_number - 1]
            scale = scale_within(page.rect.width, page.rect.height, dpi, self._max_pixels)
            pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False)
            return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what PyMuPDF raises into a `ReadError` that says what failed."""
    try:
        yield
    except (ReadError, MemoryError):
        raise
    # MuPDF's errors have no common base: RuntimeError, ValueError, IndexError, TypeError and its own are seen.
    except Exception as error:  # noqa: BLE001 # see above
        text = " ".join(str(error).split())[:200]
        if "alloc" in text:
            raise MemoryError(text) from None
        raise ReadError(DocumentStatus.CORRUPT, f"could not be {what}: {text}") from None


def _open(path: Path, stack: ExitStack) -> Any:
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        # MuPDF takes names in UTF-8 only; the file itself has another one.
        file = stack.enter_context(path.open("rb"))
        return pymupdf.open(f"/dev/fd/{file.fileno()}", filetype=path.suffix.removeprefix(".") or "pdf")
    return pymupdf.open(path)


def _words(layer: TextLayer, found: Found) -> Iterator[LaidWord]:
    # Text comes in the coordinates of the page before it is turned.
    turned = layer.page.rotation_matrix if layer.page.rotation else None
    styles = {key: _style(line, turned) for key, line in layer.lines.items()}
    for index, (x0, y0, x1, y1, raw, block, line, _) in enumerate(layer.words):
        text = clean_word(raw)
        if not text or index in found.hidden or not (x1 > x0 and y1 > y0):
            continue
        box = (x0, y0, x1, y1) if turned is None else tuple(pymupdf.Rect(x0, y0, x1, y1) * turned)
        size, bold, upright = styles.get((block, line), (y1 - y0, False, True))
        yield LaidWord(text, box, block, line, size, bold, upright)


def _style(line: dict[str, Any], turned: Any) -> tuple[float, bool, bool]:
    """Size, weight and uprightness of most of a line's letters."""
    sizes: dict[float, int] = {}
    bold = letters = 0
    for span in line["spans"]:
        count = len(span["text"].strip())
        size = round(span["size"], 1)
        sizes[size] = sizes.get(size, 0) + count
        letters += count
        if span["flags"] & _BOLD:
            bold += count
    dx, dy = line["dir"]
    if turned is not None:
        dx = dx * turned.a + dy * turned.c
    return max(sizes, key=sizes.__getitem__), 2 * bold > letters, dx > _UPRIGHT


def draw_words(
    words: Iterable[tuple[Word, float, bool]], size_pt: tuple[float, float], dpi: float
) -> Image.Image:
    """
    Draw words on an empty page, in fixed-width type.

    Args:
        words: each with the size of its type in points and whether it is bold.
        size_pt: width and height of the page.
    """
    fonts = {False: pymupdf.Font("cour"), True: pymupdf.Font("cobo")}
    others = pymupdf.Font("cjk")
    with pymupdf.open() as document:
        page = document.new_page(width=size_pt[0], height=size_pt[1])
        writer = pymupdf.TextWriter(page.rect)
        for word, size, bold in words:
            font = fonts[bold] if all(fonts[bold].has_glyph(ord(char)) for char in word.text) else others
            writer.append(
                (word.bbox_pt[0], word.bbox_pt[3] - 0.3 * size), word.text, font=font, fontsize=size
            )
        writer.write_text(page)
        pixmap = page.get_pixmap(dpi=round(dpi), alpha=False)
        return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
