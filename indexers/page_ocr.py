"""Which pages and figures are read by OCR, and what becomes of the words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from PIL import Image

from ragvl.config import OcrConfig
from ragvl.errors import ReadError
from ragvl.indexers.ocr import OcrEngine, OcrLine, is_flat
from ragvl.indexers.readers.cleaning import clean_word
from ragvl.indexers.readers.layout import LaidWord, lay_out
from ragvl.indexers.readers.order import blocks_of
from ragvl.indexers.text_layers import is_readable
from ragvl.protocols import OpenDocument
from ragvl.types import BBox, Block, BlockKind, PageContent, TextSource, Word

_FEW_WORDS = 20  # a page with fewer, and mostly a picture, is read as a picture
_MOSTLY = 0.5  # share of the page from which it is
_STAMP = 4  # OCR that finds so many times the words of the layer has found a scan with a stamp on it
_CORNER = (0.0, 0.0)
_DENSE_WORDS = 60  # a figure under so many words of the text layer is a scan with text, or a background
_COVERED = 0.25  # share of a line that words of the layer cover, from which it is theirs
_MAX_FIGURES = 12  # on one page
_MAX_TILES = 200
_HEADING_RATIO = 1.45  # heights of lines vary by their letters


class PageOcr:
    """OCR as configured; the networks are loaded when the first page needs them."""

    def __init__(self, config: OcrConfig) -> None:
        self._config = config
        self._engine: OcrEngine | None = None

    def complete(self, document: OpenDocument, content: PageContent) -> PageContent:
        """
        Add to a page what only OCR can read; a failure becomes the page's warning.

        The whole page is read when its text layer is absent or useless, else its large figures are.
        """
        config = self._config
        words = [word for block in content.blocks for line in block.lines for word in line.words]
        readable = is_readable([word.text for word in words])
        if not (config.pages or config.figures):
            return content
        try:
            figures = _figures(document, content, config.min_figure_share) if readable else []
            pictured = len(words) < _FEW_WORDS and any(_share(box, content) > _MOSTLY for box in figures)
            if config.pages and (pictured or not readable):
                return self._read_page(document, content, words if readable else [])
            if config.figures and readable:
                return self._read_figures(document, content, words, figures)
            return content
        except ReadError as error:
            warnings = filter(None, (content.warning, f"not read by OCR: {error.reason}"))
            return dataclasses.replace(content, warning="; ".join(warnings))

    def _read_page(self, document: OpenDocument, content: PageContent, words: Sequence[Word]) -> PageContent:
        """Read a whole page; `words` are those of its layer that are good, if any."""
        image = document.render(content.number, self._config.dpi)
        if is_flat(image):  # an empty page: the networks need not even be loaded
            return content
        scale = content.width_pt / image.width
        lines = self._get_engine().read(image)
        found = sum(len(line.words) for line in lines)
        if not found:
            return content
        if found > _STAMP * len(words):
            blocks = _blocks(lines, scale, _CORNER)
            return dataclasses.replace(content, blocks=blocks, text_source=TextSource.OCR)
        # A slide with a picture behind its title: the title's own text is better than what OCR makes of it.
        boxes = [word.bbox_pt for word in words]
        new = [line for line in lines if not _is_covered(_placed(line.box_px, scale, _CORNER), boxes)]
        return _with_figures(content, [_figure(new, scale, _CORNER)])

    def _read_figures(
        self, document: OpenDocument, content: PageContent, words: list[Word], figures: list[BBox]
    ) -> PageContent:
        boxes = [word.bbox_pt for word in words]
        chosen = [box for box in figures if sum(_centred(word, box) for word in boxes) < _DENSE_WORDS]
        if not chosen:
            return content
        image = document.render(content.number, self._config.dpi)
        found = [self._read_figure(image, box, boxes, content) for box in chosen[:_MAX_FIGURES]]
        return _with_figures(content, found)

    def _read_figure(
        self, image: Image.Image, box: BBox, words: Sequence[BBox], content: PageContent
    ) -> Block | None:
        scale = content.width_pt / image.width
        pixels = tuple(round(side / scale) for side in box)
        picture = image.crop((pixels[0], pixels[1], pixels[2], pixels[3]))
        if is_flat(picture):
            return None
        engine = self._get_engine()
        corners = engine.find_lines(picture)
        origin = (pixels[0] * scale, pixels[1] * scale)
        # Only what the text layer does not hold already is read: reading costs ten times as much as finding.
        new = [
            not _is_covered(_placed((*quad.min(axis=0), *quad.max(axis=0)), scale, origin), words)
            for quad in corners
        ]
        return _figure(engine.read_lines(picture, corners[new]), scale, origin)

    def _get_engine(self) -> OcrEngine:
        if self._engine is None:
            self._engine = OcrEngine(self._config.engine)
        return self._engine


def _figure(lines: Iterable[OcrLine], scale: float, origin: tuple[float, float]) -> Block | None:
    """The words of one picture as a block; none when they say nothing."""
    said = filter(_says_something, lines)
    rows = tuple(line for block in _blocks(said, scale, origin) for line in block.lines)
    return Block(BlockKind.FIGURE, rows) if rows else None


def _with_figures(content: PageContent, figures: Iterable[Block | None]) -> PageContent:
    return dataclasses.replace(content, blocks=content.blocks + tuple(filter(None, figures)))


def _figures(document: OpenDocument, content: PageContent, min_share: float) -> list[BBox]:
    """Boxes of raster images, those that touch joined, that take at least a share of the page."""
    joined: list[BBox] = []
    for tile in document.figure_boxes(content.number)[:_MAX_TILES]:
        box = tile
        # Producers cut a picture into strips: put the strips together again.
        touching = [other for other in joined if _touch(box, other)]
        joined = [other for other in joined if other not in touching]
        for other in touching:
            box = (min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3]))
        joined.append(box)
    return [box for box in joined if _share(box, content) >= min_share]


def _blocks(lines: Iterable[OcrLine], scale: float, origin: tuple[float, float]) -> tuple[Block, ...]:
    """Lay out the lines that OCR read; `scale` is points a pixel."""
    held = list(lines)
    words: list[LaidWord] = []
    for block, members in enumerate(blocks_of([line.box_px for line in held])):
        for member in members:
            line = held[member]
            x0, y0, x1, y1 = line.box_px
            height = (y1 - y0 if line.upright else x1 - x0) * scale
            words += [
                LaidWord(
                    text, _placed(word.box_px, scale, origin), block, member, height, False, line.upright
                )
                for word in line.words
                if (text := clean_word(word.text))
            ]
    return lay_out(words, _HEADING_RATIO)


def _placed(box: tuple[float, float, float, float], scale: float, origin: tuple[float, float]) -> BBox:
    x, y = origin
    return box[0] * scale + x, box[1] * scale + y, box[2] * scale + x, box[3] * scale + y


def _says_something(line: OcrLine) -> bool:
    """Whether a line in a picture is more than a lone sign, which is mostly a shape taken for one."""
    text = "".join(word.text for word in line.words)
    return text.isdecimal() or sum(char.isalnum() for char in text) > 1


def _share(box: BBox, content: PageContent) -> float:
    return (box[2] - box[0]) * (box[3] - box[1]) / max(content.width_pt * content.height_pt, 1.0)


def _touch(a: BBox, b: BBox) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > -1 and min(a[3], b[3]) - max(a[1], b[1]) > -1


def _centred(word: BBox, box: BBox) -> bool:
    x, y = (word[0] + word[2]) / 2, (word[1] + word[3]) / 2
    return box[0] < x < box[2] and box[1] < y < box[3]


def _is_covered(line: BBox, words: Sequence[BBox]) -> bool:
    area = max((line[2] - line[0]) * (line[3] - line[1]), 1e-6)
    shared = sum(
        max(0.0, min(line[2], word[2]) - max(line[0], word[0]))
        * max(0.0, min(line[3], word[3]) - max(line[1], word[1]))
        for word in words
    )
    return shared > _COVERED * area
