"""
A page's text layer beside what is really drawn: letters, fills and images in the order of drawing.

The layer is what the reader takes its words from. A second pass of MuPDF, without replacement texts, tells the
rest; it costs as much as asking for the page's images, which it tells as well.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

from ragvl.indexers.readers.pymupdf_late import import_pymupdf
from ragvl.types import BBox

pymupdf = import_pymupdf()

# Ligatures are taken apart, pictures left out, words off the page dropped.
FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
_DRAWN = (
    pymupdf.TEXT_PRESERVE_WHITESPACE
    | pymupdf.TEXT_PRESERVE_IMAGES
    | pymupdf.TEXT_COLLECT_VECTORS
    | pymupdf.TEXT_IGNORE_ACTUALTEXT
)
_TEXT, _IMAGE, _VECTOR = 0, 1, 3  # kinds of MuPDF's blocks
_COLOUR = "color: #"
_REACH_PT = 300.0  # beyond the page; what lies farther off is not read either, only not told

RawWord = tuple[float, float, float, float, str, int, int, int]  # box, text, block, line, place in the line
Colour = tuple[int, int, int]


class Cover(NamedTuple):
    """Something that is drawn and can lie behind or over a word; `colour` is None for an image."""

    order: int
    bbox: BBox
    colour: Colour | None
    is_opaque_box: bool


@dataclass(frozen=True, slots=True)
class TextLayer:
    """
    What MuPDF says of one page that is not turned.

    Attributes:
        page: MuPDF's page.
        bounds: of the page.
        words: of the layer, on the page.
        lines: by the words' block and line, MuPDF's description of the line.
        letters: what is drawn as text, each block with its place in the order of drawing and its length.
        covers: fills and images, in the order of drawing.
        text: all letters that are drawn on the page, without spaces.
        outside: words that are drawn wholly off the page.
        images: boxes of the images.
    """

    page: Any
    bounds: BBox
    words: list[RawWord]
    lines: dict[tuple[int, int], dict[str, Any]]
    letters: list[tuple[int, BBox, int]]
    covers: list[Cover]
    text: str
    outside: list[str]
    images: list[BBox]

    def orders(self) -> dict[int, int]:
        """
        For each span, by `id`, its place in the order of drawing.

        The layer tells letters in the order in which they are drawn, so counting them finds the block; where the
        two do not hold the same letters, it is the first block at the span's place.
        """
        spans = [span for line in self.lines.values() for span in line["spans"]]
        ends = list(accumulate(_length(span["text"]) for span in spans))
        blocks = list(accumulate(length for *_, length in self.letters))
        if not spans or not blocks or ends[-1] != blocks[-1] or ends[-1] != len(self.text):
            return {id(span): self._first_order(span["bbox"]) for span in spans}
        return {
            id(span): self.letters[min(bisect_right(blocks, end - _length(span["text"])), len(blocks) - 1)][0]
            for span, end in zip(spans, ends, strict=True)
        }

    def _first_order(self, box: BBox) -> int:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        holding = (
            order
            for order, (x0, y0, x1, y1), _ in self.letters
            if x0 - 1 <= x <= x1 + 1 and y0 - 1 <= y <= y1 + 1
        )
        return min(holding, default=0)


def read_layer(page: Any, *, replaced: bool = True) -> TextLayer:
    """
    Read the text layer of a page of MuPDF, and what is drawn.

    Args:
        replaced: whether replacement texts (`ActualText`) stand for the letters that are drawn.
    """
    layer = page.get_textpage(flags=FLAGS if replaced else FLAGS | pymupdf.TEXT_IGNORE_ACTUALTEXT)
    lines = {
        (block["number"], index): line
        for block in layer.extractDICT()["blocks"]
        for index, line in enumerate(block.get("lines", ()))
    }
    bounds: BBox = tuple(page.rect)
    drawn = page.get_textpage(clip=_around(bounds), flags=_DRAWN)
    blocks = drawn.extractBLOCKS()
    texts = [block for block in blocks if block[6] == _TEXT]
    outside: list[str] = []
    if any(_reaches_out(block, bounds) for block in texts):
        words = drawn.extractWORDS()
        outside = [word[4] for word in words if _is_off(word, bounds)]
        text = "".join(word[4] for word in words if not _is_off(word, bounds))
    else:
        text = "".join("".join(block[4] for block in texts).split())
    return TextLayer(
        page,
        bounds,
        layer.extractWORDS(),
        lines,
        [(order, block[:4], _length(block[4])) for order, block in enumerate(blocks) if block[6] == _TEXT],
        list(_covers(blocks)),
        text,
        outside,
        [block[:4] for block in blocks if block[6] == _IMAGE],
    )


def _around(bounds: BBox) -> BBox:
    """MuPDF tells nothing of what lies beyond the rectangle that it is given."""
    return bounds[0] - _REACH_PT, bounds[1] - _REACH_PT, bounds[2] + _REACH_PT, bounds[3] + _REACH_PT


def _length(text: str) -> int:
    return len("".join(text.split()))


def _covers(blocks: list[Any]) -> Iterator[Cover]:
    for order, (x0, y0, x1, y1, text, _, kind) in enumerate(blocks):
        if kind == _IMAGE:
            yield Cover(order, (x0, y0, x1, y1), None, False)
        elif kind == _VECTOR and "filled" in text:
            start = text.find(_COLOUR) + len(_COLOUR)
            red, green, blue = bytes.fromhex(text[start : start + 6])
            opaque = "alpha: 255" in text and "is-rect: true" in text
            yield Cover(order, (x0, y0, x1, y1), (red, green, blue), opaque)


def _reaches_out(box: Any, bounds: BBox) -> bool:
    return bool(box[0] < bounds[0] or box[1] < bounds[1] or box[2] > bounds[2] or box[3] > bounds[3])


def _is_off(box: Any, bounds: BBox) -> bool:
    return bool(box[2] <= bounds[0] or box[3] <= bounds[1] or box[0] >= bounds[2] or box[1] >= bounds[3])
