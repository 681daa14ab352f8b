"""
Heat drawn over a page: a small picture for the whole query and for each of its words, and a list to choose from.

The page runs no script: the list is made of radio buttons, and style shows the picture of the one that is pointed at,
or else chosen.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ragvl.heat import HeatCell, HeatMap
from ragvl.markup import Html, escape, fill, join, source
from ragvl.sheets import Sheet
from ragvl.types import Hit

__all__ = ["HeatSource", "HeatView", "HeatViews"]

HeatSource = Callable[[Hit], HeatMap | None]
"""Where the page of a hit matches the query; None when that is not known."""

_NOTE = (
    " Colour shows where a page matches: the warmest place is the best one of that page, for all words or for one, "
    "however good it is. It does not compare pages or words."
)
_LONG_SIDE_PX = 128  # of the pictures; browsers enlarge them smoothly
_SMALLEST_PX = 3  # of a box, so that a line of text is not blurred away
_BLUR = 0.012  # of the long side
_LEVELS = 24
_STOPS = ((0.0, (255, 214, 153)), (0.45, (255, 158, 110)), (1.0, (235, 72, 120)))
_MOST_WORDS = 40


@dataclass(frozen=True, slots=True)
class HeatView:
    """The pictures that lie over a page, to be drawn in its SVG, and the list beside it; both empty for none."""

    layers: Html
    words: Html


class HeatViews:
    """The heat in one HTML file: each picture stored once, and style for as many words as there are."""

    def __init__(self, heat: HeatSource | None) -> None:
        self._heat = heat
        self._symbols: list[Html] = []
        self._pages = 0
        self._most_words = 0

    def of(self, hit: Hit | None, sheet: Sheet) -> HeatView:
        """Draw the heat of a hit's page, and the list of words; nothing when there is none, or no place for it."""
        heat = self._heat_of(hit, sheet)
        if heat is None:
            return HeatView(Html(""), Html(""))
        drawn = [number for number, word in enumerate(heat.words[:_MOST_WORDS], 1) if word.cells]
        self._most_words = max(self._most_words, *drawn, 0)
        layers = [self._layer(0, heat.whole, sheet)]
        layers += [self._layer(number, heat.words[number - 1].cells, sheet) for number in drawn]
        group = f"heat-{self._pages}"
        return HeatView(Html(f'<g class="heat">{join(layers)}</g>'), _list(heat, drawn, group))

    def whole(self, hit: Hit, sheet: Sheet) -> Html:
        """Draw the heat of a hit's page for the whole query only."""
        heat = self._heat_of(hit, sheet)
        return Html("") if heat is None else Html(f'<g class="heat">{self._layer(0, heat.whole, sheet)}</g>')

    def store(self) -> Html:
        """The symbols that every view refers to."""
        return join(self._symbols)

    def css(self) -> str:
        """The style that shows one picture at a time; "" when no heat is drawn."""
        if not self._pages:
            return ""
        shown = ",\n".join(
            f".card:has(.pick-{number}:hover) .layer-{number}, "
            f".card:not(:has(.pick:hover)):has(.pick-{number} :checked) .layer-{number}"
            for number in range(1, self._most_words + 1)
        )
        rule = f"{shown} {{ opacity: var(--shown); }}\n" if shown else ""
        return source("ragvl", "heat.css") + rule

    def note(self) -> str:
        """What the colours mean, in a sentence; "" when no heat is drawn."""
        return _NOTE if self._pages else ""

    def _heat_of(self, hit: Hit | None, sheet: Sheet) -> HeatMap | None:
        heat = self._heat(hit) if self._heat and hit and sheet.placed else None
        if heat is None or not heat.whole:
            return None
        self._pages += 1
        return heat

    def _layer(self, number: int, cells: Sequence[HeatCell], sheet: Sheet) -> Html:
        name = f"heat-{self._pages}-{number}"
        picture = base64.b64encode(_picture(cells, sheet.width, sheet.height)).decode()
        size = f'width="{sheet.width:g}" height="{sheet.height:g}"'
        self._symbols.append(
            Html(
                f'<symbol id="{name}" viewBox="0 0 {sheet.width:g} {sheet.height:g}">'
                f'<image href="data:image/png;base64,{picture}" {size} preserveAspectRatio="none"/></symbol>'
            )
        )
        use = f'href="#{name}" {size}/>'
        return Html(f'<use class="layer layer-{number}" {use}<use class="layer layer-{number} ember" {use}')


def _list(heat: HeatMap, drawn: Sequence[int], group: str) -> Html:
    """Write the query with each word that can be shown as a choice, between all of them and none."""

    def pick(number: str, text: str, more: str = "") -> Html:
        return fill("heat_pick", number=number, text=text, group=group, more=Html(more))

    parts = []
    at = 0
    for number in drawn:
        word = heat.words[number - 1]
        parts += [escape(heat.query[at : word.start]), pick(str(number), heat.query[word.start : word.end])]
        at = word.end
    parts.append(escape(heat.query[at:]))
    return fill(
        "heat",
        all=pick("0", "All words", " checked"),
        query=join(parts),
        off=pick("off", "Off"),
    )


def _picture(cells: Sequence[HeatCell], width_pt: float, height_pt: float) -> bytes:
    """Paint cells as a soft PNG of few colours, transparent where it is cold."""
    scale = _LONG_SIDE_PX / max(width_pt, height_pt)
    columns, rows = (max(_SMALLEST_PX, round(side * scale)) for side in (width_pt, height_pt))
    field = np.zeros((rows, columns))
    for cell in reversed(cells):
        left, top, right, bottom = (side * scale for side in cell.box_pt)
        if left >= columns or top >= rows or right <= 0 or bottom <= 0:
            continue
        x0, x1 = _pixels(left, right, columns)
        y0, y1 = _pixels(top, bottom, rows)
        field[y0:y1, x0:x1] = np.maximum(field[y0:y1, x0:x1], cell.strength)
    soft = Image.fromarray(np.uint8(field * 255)).filter(ImageFilter.GaussianBlur(_BLUR * _LONG_SIDE_PX))
    blurred = np.asarray(soft, dtype=np.float64)
    levels = np.rint(blurred / max(blurred.max(), 1.0) * (_LEVELS - 1)).astype(np.uint8)
    image = Image.fromarray(levels, "P")
    image.putpalette(_palette().tobytes())
    alphas = bytes(round(200 * level / (_LEVELS - 1)) for level in range(_LEVELS))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=alphas, optimize=True)
    return buffer.getvalue()


def _pixels(start: float, end: float, limit: int) -> tuple[int, int]:
    """The pixels of one side of a box, at least the smallest number, inside the picture."""
    first, last = round(start), round(end)
    grown = max(0, _SMALLEST_PX - (last - first))
    first = min(max(first - grown // 2, 0), limit - _SMALLEST_PX)
    return first, min(max(last + (grown + 1) // 2, first + _SMALLEST_PX), limit)


def _palette() -> NDArray[np.uint8]:
    """(levels, 3) red, green and blue from cold to warm."""
    at = np.linspace(0, 1, _LEVELS)
    stops = [stop for stop, _ in _STOPS]
    channels = [np.interp(at, stops, [colour[i] for _, colour in _STOPS]) for i in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)
