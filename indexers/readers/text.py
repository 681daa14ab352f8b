"""Plain text, Markdown, HTML and CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from ragvl.errors import ReadError
from ragvl.indexers.readers.decode import read_text
from ragvl.indexers.readers.hypertext import parse_html
from ragvl.indexers.readers.markup import Paragraph, parse_csv, parse_markdown, parse_plain
from ragvl.indexers.readers.media import HTML, media_type_of, suffix_of
from ragvl.indexers.readers.scale import POINTS_PER_INCH, scale_within
from ragvl.indexers.readers.typeset import PAGE_HEIGHT_PT, PAGE_WIDTH_PT, Page, font_size, typeset
from ragvl.types import BBox, BlockKind, DocumentStatus, PageContent, TextSource

_PARSERS: dict[str, Callable[[str], Iterable[Paragraph]]] = {
    "text/markdown": parse_markdown,
    "text/csv": parse_csv,
    "text/tab-separated-values": lambda text: parse_csv(text, "\t"),
}


class TextReader:
    """Reader for kinds of text that have no pages of their own."""

    @contextmanager
    def open(self, path: Path, *, password: str | None, max_pixels: int) -> Iterator[TextDocument]:
        """
        Read the text and lay it out.

        Raises:
            ReadError: TOO_LARGE or CORRUPT.
        """
        media_type = media_type_of(path)
        text = read_text(path, is_markup=media_type == HTML)
        title = ""
        paragraphs: Iterable[Paragraph]
        if media_type == HTML:
            title, paragraphs = parse_html(text)
        else:
            paragraphs = _PARSERS.get(media_type, parse_plain)(text)
        misnamed = media_type == HTML and suffix_of(path) not in {
            HTML,
            "text/plain",
            "application/octet-stream",
        }
        warnings = (f"named {path.suffix} but holds HTML, read as HTML",) if misnamed else ()
        yield TextDocument(tuple(typeset(paragraphs)), title, warnings, max_pixels)


class TextDocument:
    """A text laid out on pages; see `ragvl.protocols.OpenDocument`."""

    def __init__(
        self, pages: tuple[Page, ...], title: str, warnings: tuple[str, ...], max_pixels: int
    ) -> None:
        self._pages = pages
        self._title = title
        self._warnings = warnings
        self._max_pixels = max_pixels

    @property
    def page_count(self) -> int:
        """Pages that the text fills."""
        return len(self._pages)

    @property
    def title(self) -> str:
        """The title of an HTML page, or ""."""
        return self._title

    @property
    def warnings(self) -> tuple[str, ...]:
        """Whether the file's name says something else."""
        return self._warnings

    def read_page(self, page_number: int) -> PageContent:
        """Give one page."""
        blocks = self._pages[page_number - 1]
        return PageContent(page_number, PAGE_WIDTH_PT, PAGE_HEIGHT_PT, blocks, TextSource.LAYER)

    def figure_boxes(self, page_number: int) -> tuple[BBox, ...]:
        """None: pictures are never loaded."""
        return ()

    def render(self, page_number: int, dpi: float) -> Image.Image:
        """
        Draw one page.

        Raises:
            ReadError: it cannot be drawn.
        """
        from ragvl.indexers.readers.mupdf import draw_words

        words = [
            (word, font_size(block.kind), block.kind is BlockKind.HEADING)
            for block in self._pages[page_number - 1]
            for line in block.lines
            for word in line.words
        ]
        scale = scale_within(PAGE_WIDTH_PT, PAGE_HEIGHT_PT, dpi, self._max_pixels)
        try:
            return draw_words(words, (PAGE_WIDTH_PT, PAGE_HEIGHT_PT), scale * POINTS_PER_INCH)
        except RuntimeError as error:
            raise ReadError(
                DocumentStatus.CORRUPT, f"page {page_number} could not be drawn: {error}"
            ) from None
