"""Which words of a page are not seen on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ragvl.indexers.readers.hidden.drawing import SEEN, Drawing, stands_out
from ragvl.indexers.readers.hidden.fonts import FontWatch
from ragvl.indexers.readers.hidden.layer import Colour, Cover, RawWord, TextLayer, read_layer
from ragvl.indexers.readers.hidden.layers_off import OffLayers
from ragvl.indexers.readers.hidden.reasons import Found, Reason
from ragvl.indexers.readers.hidden.replaced import replaced_words
from ragvl.indexers.readers.hidden.scans import said_by_pixels
from ragvl.types import BBox

_TINY_PT = 1.5  # half a millimetre: nobody reads it, and no printer sets it
_MIN_ON_PAGE = 0.3  # share of a word's box that lies on the page
_MIN_OUTSIDE_WORDS = 5  # off the page; printers' marks and file names have fewer
_MIN_COVERED = 0.3  # share of a span's box under a later fill or image that gives cause to look
_MIN_FILL_PT = 2.0  # thinner fills are rules
_MAX_SUSPECTS = 2000  # words of one page that are looked at by drawing it; more are kept
_FEW_GROUNDS = 40  # fills and images of one page: with more, only boxes and images count as covers
_MAX_GROUNDS = 60  # maps and drawings have more, and words that show through them: nothing is judged there
_MOSTLY = 0.5
_WHOLLY = 0.95
_CLIPS = 64  # MuPDF's flag of letters that only cut out what is painted through them
_WHITE: Colour = (255, 255, 255)


class _Suspect(NamedTuple):
    span: dict[str, Any]
    reason: Reason
    covers: tuple[Cover, ...] = ()  # what is drawn over it later


class HiddenText:
    """Finds the words of a document's pages that nobody sees; knows the document's fonts and layers."""

    def __init__(self, document: Any) -> None:
        self._fonts = FontWatch(document)
        self._layers = OffLayers(document)

    def look(self, page: Any) -> tuple[TextLayer, Found]:
        """Read the text layer of a page, and tell which of its words are hidden."""
        turned = page.rotation
        if not turned:
            return self._look(page)
        page.set_rotation(0)
        try:
            return self._look(page)
        finally:
            page.set_rotation(turned)

    def _look(self, page: Any) -> tuple[TextLayer, Found]:
        layer = read_layer(page)
        found = Found()
        lies = replaced_words(layer)
        if lies:
            layer = read_layer(page, replaced=False)
            found.elsewhere[Reason.REPLACED] = lies
        _note_outside(layer, found)
        off = self._layers.count_words(page, layer)
        if off:
            found.elsewhere[Reason.LAYER_OFF] = off
        suspects = list(_suspects(layer))
        if suspects:
            _judge(layer, suspects, found)
        self._fonts.judge(layer, found)
        return layer, found


def _note_outside(layer: TextLayer, found: Found) -> None:
    x0, y0, x1, y1 = layer.bounds
    for index, word in enumerate(layer.words):
        if word[0] < x0 or word[1] < y0 or word[2] > x1 or word[3] > y1:
            shown = max(0.0, min(word[2], x1) - max(word[0], x0)) * max(
                0.0, min(word[3], y1) - max(word[1], y0)
            )
            if shown < _MIN_ON_PAGE * (word[2] - word[0]) * (word[3] - word[1]):
                found.hidden[index] = Reason.OUTSIDE
    speaking = sum(sum(map(str.isalpha, word)) > 1 for word in layer.outside)
    if speaking >= _MIN_OUTSIDE_WORDS:
        found.elsewhere[Reason.OUTSIDE] = len(layer.outside)


def _suspects(layer: TextLayer) -> Iterable[_Suspect]:
    """Spans that give cause to look closer, from what MuPDF tells without drawing."""
    grounds = [cover for cover in layer.covers if _carries(cover.bbox)]
    is_artwork = len(grounds) > _MAX_GROUNDS
    grounds = [] if is_artwork else grounds
    plain = len(grounds) <= _FEW_GROUNDS
    orders = layer.orders() if grounds else {}
    lines = list(layer.lines.values())
    for line, near in zip(lines, _near(lines, grounds), strict=True):
        for span in line["spans"]:
            if not span["text"].strip():
                continue
            colour = span["color"]
            if not span["alpha"]:
                yield _Suspect(span, Reason.INVISIBLE)
            elif span["size"] < _TINY_PT:
                yield _Suspect(span, Reason.TINY)
            elif near:
                order = orders[id(span)]
                reason = _against(order, span, near)
                if reason:
                    yield _Suspect(
                        span, reason, tuple(c for c in near if c.order > order and _covers(c, plain))
                    )
            elif not is_artwork and not _differs(_rgb(colour), _WHITE, span["alpha"]):
                yield _Suspect(span, Reason.SAME_COLOUR)


def _covers(cover: Cover, plain: bool) -> bool:
    """Boxes and images cover for certain; other shapes leave gaps, and in drawings words show through those."""
    return plain or cover.is_opaque_box or cover.colour is None


def _near(lines: Sequence[dict[str, Any]], grounds: Sequence[Cover]) -> list[list[Cover]]:
    """For each line, what touches it."""
    if not grounds or not lines:
        return [[] for _ in lines]
    a = np.array([line["bbox"] for line in lines])[:, None]
    b = np.array([cover.bbox for cover in grounds])[None]
    touching = (a[..., :2] < b[..., 2:]).all(axis=2) & (b[..., :2] < a[..., 2:]).all(axis=2)
    near: list[list[Cover]] = [[] for _ in lines]
    for line, cover in np.argwhere(touching).tolist():
        near[line].append(grounds[cover])
    return near


def _against(order: int, span: dict[str, Any], near: Sequence[Cover]) -> Reason | None:
    """Whether a span may be covered, or of the colour of what lies behind it."""
    box = span["bbox"]
    behind: Cover | None = None
    for cover in near:
        share = _share(box, cover.bbox)
        if cover.order > order and share > _MIN_COVERED:
            return Reason.COVERED
        if cover.order < order and share > 0:
            behind = cover
    colour, alpha = _rgb(span["color"]), span["alpha"]
    if behind is None:
        return None if _differs(colour, _WHITE, alpha) else Reason.SAME_COLOUR
    grounds = [_WHITE] if not (behind.is_opaque_box and _share(box, behind.bbox) > _WHOLLY) else []
    if behind.colour is None:
        # What an image shows there is known only when it is drawn.
        return Reason.SAME_COLOUR
    grounds.append(behind.colour)
    return None if all(_differs(colour, ground, alpha) for ground in grounds) else Reason.SAME_COLOUR


def _judge(layer: TextLayer, suspects: Sequence[_Suspect], found: Found) -> None:
    """Draw the page where it must be, and decide word by word; spans that are mostly hidden are so wholly."""
    held = _words_of(layer, suspects)
    looked = {index: suspect for index, suspect in held.items() if suspect.reason is not Reason.TINY}
    found.hidden |= dict.fromkeys(held.keys() - looked.keys(), Reason.TINY)
    if not looked or len(looked) > _MAX_SUSPECTS:
        return
    boxes = [layer.words[index][:4] for index in looked]
    size = min(suspect.span["size"] for suspect in looked.values())
    drawing = Drawing(layer.page, size, _union(boxes, layer.bounds))
    seen: dict[int, bool | None] = {}
    for reason in (Reason.INVISIBLE, Reason.COVERED, Reason.SAME_COLOUR):
        mine = [index for index, suspect in looked.items() if suspect.reason is reason]
        if not mine:
            continue
        if reason is Reason.INVISIBLE:
            seen |= said_by_pixels(
                drawing, layer, mine, [i for i in range(len(layer.words)) if i not in looked]
            )
        cut = [i for i in mine if looked[i].span["char_flags"] & _CLIPS or reason is not Reason.INVISIBLE]
        if cut:
            some = [layer.words[index][:4] for index in cut]
            mask = drawing.letters(some, only_covered=reason is Reason.COVERED)
            seen |= {index: stands_out(drawing, mask, layer.words[index][:4]) for index in cut}
    for suspect in {id(suspect): suspect for suspect in looked.values()}.values():
        members = [index for index in looked if looked[index] is suspect]
        judged = [seen[index] for index in members if seen[index] is not None]
        if judged and judged.count(False) > _MOSTLY * len(judged):
            under = [i for i in members if _is_under(layer.words[i][:4], suspect.covers)]
            gone = (
                under
                if suspect.reason is Reason.COVERED
                else [i for i in members if not seen[i] or i in under]
            )
            found.hidden |= dict.fromkeys(gone, suspect.reason)


def _words_of(layer: TextLayer, suspects: Sequence[_Suspect]) -> dict[int, _Suspect]:
    """The words that lie in suspicious spans."""
    held: dict[int, _Suspect] = {}
    by_line: dict[int, list[_Suspect]] = {}
    for suspect in suspects:
        by_line.setdefault(id(suspect.span), []).append(suspect)
    owners = {
        key: [entry for span in line["spans"] for entry in by_line.get(id(span), ())]
        for key, line in layer.lines.items()
    }
    for index, word in enumerate(layer.words):
        for suspect in owners.get(word[5:7], ()):
            if word[4] in suspect.span["text"] and _centred(word, suspect.span["bbox"]):
                held[index] = suspect
                break
    return held


def _centred(word: RawWord, box: BBox) -> bool:
    x, y = (word[0] + word[2]) / 2, (word[1] + word[3]) / 2
    return box[0] - 1 <= x <= box[2] + 1 and box[1] - 1 <= y <= box[3] + 1


def _is_under(box: BBox, covers: Sequence[Cover]) -> bool:
    """Whether something lies over all of a word: what is seen there, in a line that is not seen, is other words."""
    return any(_share(box, cover.bbox) > _WHOLLY for cover in covers)


def _carries(box: BBox) -> bool:
    return box[2] - box[0] > _MIN_FILL_PT and box[3] - box[1] > _MIN_FILL_PT


def _rgb(colour: int) -> Colour:
    return colour >> 16, colour >> 8 & 255, colour & 255


def _differs(colour: Colour, ground: Colour, alpha: int) -> bool:
    return max(abs(a - b) for a, b in zip(colour, ground, strict=True)) * alpha >= SEEN * 255


def _share(box: BBox, cover: BBox) -> float:
    width = min(box[2], cover[2]) - max(box[0], cover[0])
    height = min(box[3], cover[3]) - max(box[1], cover[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return width * height / area if width > 0 and height > 0 and area > 0 else 0.0


def _union(boxes: Sequence[BBox], bounds: BBox) -> BBox:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return (
        max(min(x0) - 4, bounds[0]),
        max(min(y0) - 4, bounds[1]),
        min(max(x1) + 4, bounds[2]),
        min(max(y1) + 4, bounds[3]),
    )
