"""
Draw text, shapes and pictures on PDF pages.

The only module that talks to PyMuPDF's drawing calls. They carry no annotations, so the library
is held as ``Any`` here and everything above sees typed functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pymupdf

from examples.palette import Color, Style, mix

__all__ = ["Align", "Booklet", "Box", "Point", "Sheet", "ring", "smooth", "text_width"]

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Align = Literal["left", "center", "right"]

_pymupdf: Any = pymupdf
_PDF_DATE = "D:20260401090000Z"
_BOLD = {"helv": "hebo", "tiro": "tibo", "cour": "cobo"}


@cache
def _font(name: str) -> Any:
    """Return the base-14 font of that name."""
    return _pymupdf.Font(name)


def text_width(text: str, style: Style) -> float:
    """Return the width of one line in points, its tracking included."""
    width = float(_font(style.font).text_length(text, style.size_pt))
    return width + style.tracking_pt * max(len(text) - 1, 0)


class Sheet:
    """One page to draw on; the origin is the top left corner and lengths are points."""

    def __init__(self, page: Any) -> None:
        """Draw on a PyMuPDF page."""
        self._page = page
        self.width = float(page.rect.width)
        self.height = float(page.rect.height)

    def text(
        self, at: Point, text: str, style: Style, *, align: Align = "left", turn_deg: float = 0.0
    ) -> float:
        """Set one line with its baseline at a point and return its width; turn is clockwise."""
        width = text_width(text, style)
        shift = {"left": 0.0, "center": width / 2, "right": width}[align]
        x, y = at[0] - shift, at[1]
        writer = _pymupdf.TextWriter(self._page.rect, color=style.color)
        font = _font(style.font)
        for piece in list(text) if style.tracking_pt else [text]:
            writer.append((x, y), piece, font=font, fontsize=style.size_pt)
            x += float(font.text_length(piece, style.size_pt)) + style.tracking_pt
        morph = (_pymupdf.Point(*at), _pymupdf.Matrix(-turn_deg)) if turn_deg else None
        writer.write_text(self._page, morph=morph)
        return width

    def paragraph(self, at: Point, width: float, text: str, style: Style) -> float:
        """Set ragged-right text, ``**bold**`` words included; return the next free baseline."""
        x, y = at
        for line in _wrapped(text, width, style):
            cursor = x
            for words, bold in line:
                face = Style(_BOLD.get(style.font, style.font), style.size_pt, style.leading_pt, style.color)
                chosen = face if bold else style
                cursor += self.text((cursor, y), words, chosen) + text_width(" ", style)
            y += style.leading_pt
        return y

    def wrap(self, text: str, width: float, style: Style) -> list[str]:
        """Return the lines of plain text no wider than width."""
        return [" ".join(words for words, _ in line) for line in _wrapped(text, width, style)]

    def rect(
        self,
        box: Box,
        fill: Color | None = None,
        *,
        stroke: Color | None = None,
        width: float = 0.6,
        radius_pt: float = 0.0,
        opacity: float = 1.0,
    ) -> None:
        """Draw a rectangle given as x0, y0, x1, y1, with rounded corners if asked."""
        shape = self._page.new_shape()
        rect = _pymupdf.Rect(*box)
        shorter = min(rect.width, rect.height)
        shape.draw_rect(rect, radius=min(radius_pt / shorter, 0.5) if radius_pt else None)
        shape.finish(color=stroke, fill=fill, width=width if stroke else 0, fill_opacity=opacity)
        shape.commit()

    def line(
        self,
        points: Sequence[Point],
        color: Color,
        width: float = 0.6,
        *,
        dashes: str | None = None,
        opacity: float = 1.0,
    ) -> None:
        """Draw an open line through points, with round joins."""
        shape = self._page.new_shape()
        shape.draw_polyline([_pymupdf.Point(*point) for point in points])
        shape.finish(
            color=color,
            width=width,
            dashes=dashes,
            closePath=False,
            lineCap=0 if dashes else 1,
            lineJoin=1,
            stroke_opacity=opacity,
        )
        shape.commit()

    def polygon(self, points: Sequence[Point], fill: Color, *, opacity: float = 1.0) -> None:
        """Fill a closed outline."""
        shape = self._page.new_shape()
        shape.draw_polyline([_pymupdf.Point(*point) for point in points])
        shape.finish(color=None, fill=fill, width=0, closePath=True, fill_opacity=opacity)
        shape.commit()

    def circle(
        self,
        center: Point,
        radius: float,
        fill: Color | None = None,
        *,
        stroke: Color | None = None,
        width: float = 0.6,
        opacity: float = 1.0,
    ) -> None:
        """Draw a circle."""
        shape = self._page.new_shape()
        shape.draw_circle(_pymupdf.Point(*center), radius)
        shape.finish(color=stroke, fill=fill, width=width if stroke else 0, fill_opacity=opacity)
        shape.commit()

    def gradient(self, box: Box, stops: Sequence[Color], *, bands: int = 90) -> None:
        """Fill a box from top to bottom; bands overlap downwards so that no seams show."""
        x0, y0, x1, y1 = box
        for band in range(bands):
            position = band / (bands - 1) * (len(stops) - 1)
            index = min(int(position), len(stops) - 2)
            share = position - index
            top = y0 + (y1 - y0) * band / bands
            self.rect((x0, top, x1, y1), mix(stops[index], stops[index + 1], share))

    def image(self, box: Box, encoded: bytes) -> None:
        """Place an encoded picture, filling the box."""
        self._page.insert_image(_pymupdf.Rect(*box), stream=encoded, keep_proportion=False)


class Booklet:
    """A PDF being made, saved with the same bytes on every run."""

    def __init__(self, width: float, height: float, title: str, author: str) -> None:
        """Start an empty PDF whose pages measure width by height points."""
        self._document = _pymupdf.open()
        self._size = (width, height)
        self._metadata = {
            "title": title,
            "author": author,
            "creationDate": _PDF_DATE,
            "modDate": _PDF_DATE,
        }

    def add_sheet(self) -> Sheet:
        """Append an empty page."""
        width, height = self._size
        return Sheet(self._document.new_page(width=width, height=height))

    def rasterize(self, index: int, dpi: int) -> tuple[int, int, bytes]:
        """Return width, height and RGB bytes of one page."""
        pixmap = self._document[index].get_pixmap(dpi=dpi, alpha=False)
        return int(pixmap.width), int(pixmap.height), bytes(pixmap.samples)

    def save(self, path: Path, *, contents: Sequence[tuple[str, int]] = ()) -> None:
        """Write the PDF with embedded font subsets; contents are (title, page number) entries."""
        self._document.subset_fonts()
        self._document.set_metadata(self._metadata)
        self._document.set_toc([[1, title, page] for title, page in contents])
        for page in self._document:
            page.clean_contents()
        encoded = self._document.tobytes(garbage=4, deflate=True, no_new_id=True, use_objstms=1)
        path.write_bytes(encoded)


def ring(center: Point, radius: float, start_deg: float, end_deg: float) -> list[Point]:
    """Return points along an arc; 0 degrees is straight up and angles grow clockwise."""
    steps = max(int(abs(end_deg - start_deg) / 2), 2)
    angles = [start_deg + (end_deg - start_deg) * step / steps for step in range(steps + 1)]
    return [
        (
            center[0] + radius * math.sin(math.radians(angle)),
            center[1] - radius * math.cos(math.radians(angle)),
        )
        for angle in angles
    ]


def smooth(points: Sequence[Point], per_segment: int = 12) -> list[Point]:
    """Return a Catmull-Rom curve through the points."""
    padded = [points[0], *points, points[-1]]
    curve: list[Point] = []
    for index in range(1, len(padded) - 2):
        quad = padded[index - 1 : index + 3]
        for step in range(per_segment):
            curve.append(_catmull_rom(quad, step / per_segment))
    curve.append(points[-1])
    return curve


def _catmull_rom(quad: Sequence[Point], t: float) -> Point:
    """Return the point at t (0..1) between the second and the third of four points."""
    weights = (
        -0.5 * t + t**2 - 0.5 * t**3,
        1 - 2.5 * t**2 + 1.5 * t**3,
        0.5 * t + 2 * t**2 - 1.5 * t**3,
        -0.5 * t**2 + 0.5 * t**3,
    )
    x = sum(weight * point[0] for weight, point in zip(weights, quad, strict=True))
    y = sum(weight * point[1] for weight, point in zip(weights, quad, strict=True))
    return (x, y)


def _wrapped(text: str, width: float, style: Style) -> list[list[tuple[str, bool]]]:
    """Return lines of (word run, is bold), each no wider than width."""
    lines: list[list[tuple[str, bool]]] = [[]]
    used = 0.0
    space = text_width(" ", style)
    bold_style = Style(_BOLD.get(style.font, style.font), style.size_pt, style.leading_pt)
    for index, piece in enumerate(text.split("**")):
        is_bold = index % 2 == 1
        for word in piece.split():
            length = text_width(word, bold_style if is_bold else style)
            if used and used + length > width:
                lines.append([])
                used = 0.0
            _append_word(lines[-1], word, is_bold)
            used += length + space
    return lines


def _append_word(line: list[tuple[str, bool]], word: str, is_bold: bool) -> None:
    """Add a word to a line, joining it to the last run when both are set alike."""
    if line and line[-1][1] == is_bold:
        line[-1] = (f"{line[-1][0]} {word}", is_bold)
    else:
        line.append((word, is_bold))
