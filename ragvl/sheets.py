"""
Pages drawn in an HTML file: each image stored once as an SVG symbol, its marks in percent of what is drawn.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PIL import Image

from ragvl.markup import Html, escape, fill, join
from ragvl.types import BBox, Document, Hit

__all__ = ["Mark", "PageImages", "Sheet", "Sheets", "crop", "figure"]

PageImages = Callable[[Document, int], bytes | None]
"""Bytes of a page (PNG, JPEG or WebP) by document and page number from 1; None when it cannot be drawn."""

_PAPER_SIZES_PT = ((612.0, 792.0), (595.28, 841.89), (792.0, 612.0), (841.89, 595.28))
_ASPECT_TOLERANCE = 0.004  # Letter and A4 differ by 0.066; a rendered page is off by a pixel


@dataclass(frozen=True, slots=True)
class Sheet:
    """
    A page as it can be drawn.

    Attributes:
        id: of its symbol.
        width, height: in points when `placed`, else in pixels.
        placed: whether boxes in points can be put on it.
        data_uri: of its image; "" when it cannot be drawn.
        label: what it is, in words.
        path: of its document.
    """

    id: str
    width: float
    height: float
    placed: bool
    data_uri: str
    label: str
    path: str

    @property
    def shape(self) -> str:
        """`wide` or `tall`."""
        return "wide" if self.width > self.height else "tall"


@dataclass(frozen=True, slots=True)
class Mark:
    """Boxes drawn with one pen; `number` stands beside the first of them, "" for none."""

    boxes_pt: tuple[BBox, ...]
    pen: str
    number: str = ""


class Sheets:
    """The pages of one HTML file; each image is asked for, and stored, once."""

    def __init__(self, page_image: PageImages, hits: Sequence[Hit]) -> None:
        self._page_image = page_image
        self._sizes_pt = {
            (hit.page.document.id, hit.page.number): (hit.page.width_pt, hit.page.height_pt)
            for hit in hits
            if all(math.isfinite(side) and side > 0 for side in (hit.page.width_pt, hit.page.height_pt))
        }
        self._sheets: dict[tuple[int, int], Sheet] = {}

    def get(self, document: Document, page_number: int, label: str) -> Sheet:
        """Return a page, drawn when it is first asked for."""
        key = (document.id, page_number)
        if key not in self._sheets:
            self._sheets[key] = self._draw(document, page_number, label)
        return self._sheets[key]

    def store(self) -> Html:
        """Return the symbols that every view refers to."""
        return join(
            Html(
                f'<symbol id="{sheet.id}" viewBox="0 0 {_number(sheet.width)} {_number(sheet.height)}">'
                f'<image href="{sheet.data_uri}" width="100%" height="100%" preserveAspectRatio="none"/></symbol>'
            )
            for sheet in self._sheets.values()
            if sheet.data_uri
        )

    def _draw(self, document: Document, page_number: int, label: str) -> Sheet:
        image = self._page_image(document, page_number)
        media_type, width_px, height_px = _sniff(image)
        size_pt = self._size_pt(document.id, page_number, width_px / height_px)
        width, height = size_pt or (width_px, height_px)
        drawn = bool(image and media_type)
        return Sheet(
            id=f"sheet-{len(self._sheets) + 1}",
            width=width,
            height=height,
            placed=drawn and size_pt is not None,
            data_uri=f"data:{media_type};base64,{base64.b64encode(image or b'').decode()}" if drawn else "",
            label=label,
            path=document.path,
        )

    def _size_pt(self, document_id: int, page_number: int, aspect: float) -> tuple[float, float] | None:
        """Return the size that is known, or else one of the same aspect: of a page beside it, or of paper."""
        known = self._sizes_pt.get((document_id, page_number))
        if known:
            return known
        beside = [size for (other_id, _), size in self._sizes_pt.items() if other_id == document_id]
        for width, height in (*beside, *_PAPER_SIZES_PT):
            if abs(width / height - aspect) < _ASPECT_TOLERANCE:
                return width, height
        return None


def figure(sheet: Sheet, marks: Sequence[Mark], anchor: str, under: Html = Html("")) -> Html:
    """Draw a page that can be enlarged, `under` below its marks, or say in its place why it cannot be drawn."""
    if not sheet.data_uri:
        why = f"{sheet.path} may have been moved, changed or deleted since it was indexed."
        return fill("missing", shape=sheet.shape, what="This page cannot be drawn any more.", why=why)
    marked = any(_on_page(mark.boxes_pt, sheet) for mark in marks)
    label = f"{sheet.label}, with places marked" if marked else sheet.label
    window = (0.0, 0.0, sheet.width, sheet.height)
    view = _view(sheet, marks, label, window, "page", under, join(_tabs(marks, sheet)))
    return fill("figure", anchor=anchor, label=label, view=view)


def crop(sheet: Sheet, mark: Mark, label: str) -> Html:
    """Draw the part of a page around a mark, from the same image; nothing when its place is unknown."""
    boxes = _on_page(mark.boxes_pt, sheet)
    if not boxes:
        return Html("")
    return _view(sheet, [mark], label, _window(boxes, sheet), "page crop")


def _view(
    sheet: Sheet,
    marks: Sequence[Mark],
    label: str,
    window: BBox,
    kind: str,
    under: Html = Html(""),
    over: Html = Html(""),
) -> Html:
    x0, y0, x1, y1 = window
    boxes = join(_boxes(mark, sheet, window) for mark in marks)
    return Html(
        f'<svg class="{kind}" viewBox="0 0 {_number(x1 - x0)} {_number(y1 - y0)}" role="img"'
        f' aria-label="{escape(label)}"><use href="#{sheet.id}" x="{_number(-x0)}" y="{_number(-y0)}"'
        f' width="{_number(sheet.width)}" height="{_number(sheet.height)}"/>{under}{boxes}{over}</svg>'
    )


def _boxes(mark: Mark, sheet: Sheet, window: BBox) -> Html:
    left, top, width, height = window[0], window[1], window[2] - window[0], window[3] - window[1]
    rects = join(
        Html(
            f'<rect x="{_percent(x0 - left, width)}" y="{_percent(y0 - top, height)}"'
            f' width="{_percent(x1 - x0, width)}" height="{_percent(y1 - y0, height)}"/>'
        )
        for x0, y0, x1, y1 in _on_page(mark.boxes_pt, sheet)
    )
    # Blending the group, not each box: lines that touch would show a dark seam.
    return (
        Html(f'<g class="mark {mark.pen}">{rects}</g><g class="glow {mark.pen}">{rects}</g>')
        if rects
        else rects
    )


def _tabs(marks: Sequence[Mark], sheet: Sheet) -> list[Html]:
    """Number the marks at their left edge, beside the first line, none on top of another."""
    radius = sheet.width * 0.021
    centres: list[tuple[float, float]] = []
    tabs = []
    for mark in marks:
        boxes = _on_page(mark.boxes_pt, sheet)
        if not mark.number or not boxes:
            continue
        x = max(min(box[0] for box in boxes) - 1.6 * radius, 0.0)  # may hang over the edge, as a tab does
        y = (boxes[0][1] + boxes[0][3]) / 2
        while any(math.dist((x, y), centre) < 2.1 * radius for centre in centres):
            y += 0.5 * radius
        centres.append((x, y))
        at = f'x="{_number(x)}" y="{_number(y + 0.42 * radius)}" font-size="{_number(1.2 * radius)}"'
        circle = f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}"/>'
        tabs.append(Html(f'<g class="tab {mark.pen}">{circle}<text {at}>{mark.number}</text></g>'))
    return tabs


def _on_page(boxes_pt: Iterable[BBox], sheet: Sheet) -> list[BBox]:
    """Return the parts of the boxes that lie on the page; none when their scale is unknown."""
    found = []
    for box in boxes_pt if sheet.placed else ():
        x0, x1 = (min(max(x, 0.0), sheet.width) for x in (box[0], box[2]))
        y0, y1 = (min(max(y, 0.0), sheet.height) for y in (box[1], box[3]))
        if all(map(math.isfinite, box)) and x1 > x0 and y1 > y0:
            found.append((x0, y0, x1, y1))
    return found


def _window(boxes: Sequence[BBox], sheet: Sheet) -> BBox:
    """Return the part of the page to look at closely: the boxes and some air, of a readable shape."""
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    air = sheet.width * 0.03
    width = min(max(right - left + 2 * air, sheet.width * 0.5), sheet.width)
    wanted = max(bottom - top + 2 * air, width * 0.16)
    height = min(wanted, width * 0.8, sheet.height)
    x = (left + right - width) / 2
    y = top - air if wanted > height else (top + bottom - height) / 2  # too tall: show where it starts
    x, y = min(max(x, 0.0), sheet.width - width), min(max(y, 0.0), sheet.height - height)
    return (x, y, x + width, y + height)


def _sniff(image: bytes | None) -> tuple[str, float, float]:
    """Return media type, width and height in pixels; "" for what a browser may not show."""
    try:
        with Image.open(io.BytesIO(image or b""), formats=("PNG", "JPEG", "WEBP")) as opened:
            return Image.MIME[str(opened.format)], *opened.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return "", 612.0, 792.0


def _percent(part: float, whole: float) -> str:
    return f"{_number(100 * part / whole)}%"


def _number(value: float) -> str:
    return f"{round(value, 3):g}"
