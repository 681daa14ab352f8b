"""
What can be seen of words, by drawing: the page as it is, and the letters in question alone.

Where the letters' own shapes do not stand out from what is around them, nothing can be seen of them. Drawing
takes tens of milliseconds a page, so it is done only for words that give cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.readers.pymupdf_late import import_pymupdf
from ragvl.types import BBox

pymupdf = import_pymupdf()
mupdf = pymupdf.mupdf

SEEN = (
    18.0  # least difference, of 255, that an eye finds between small type and its ground (#EDEDED on white)
)
_LETTER_PX = 18.0  # height at which the smallest letters in question are drawn
_MIN_SCALE, _MAX_SCALE = 1.0, 5.0
_MAX_PIXELS = 6_000_000
_CORE = 128  # of 255: more of such a pixel is letter than ground
_MARGIN_PX = 3
_BESIDE_PX = 3  # so far from a letter its ground is looked at
_ROUGH = 0.5  # of the ground's deviation: what chance alone makes of a difference on a photograph
_MIN_CORE_PX = 3
_PLAIN = 60.0  # of 255: a difference of letters and ground that needs no closer look ...
_EVEN = 0.35  # ... where the ground deviates by less than this share of it

Pixels = NDArray[np.float32]


class Drawing:
    """A page drawn, and masks of some of its letters."""

    def __init__(self, page: Any, size_pt: float, within: BBox) -> None:
        """
        Args:
            page: MuPDF's page, not turned.
            size_pt: of the smallest type in question.
            within: the part of the page to draw, in its coordinates before it is turned.
        """
        x0, y0, x1, y1 = within
        area = max((x1 - x0) * (y1 - y0), 1.0)
        scale = min(max(_LETTER_PX / max(size_pt, 0.1), _MIN_SCALE), _MAX_SCALE, (_MAX_PIXELS / area) ** 0.5)
        self._matrix = mupdf.FzMatrix(scale, 0, 0, scale, 0, 0)
        self._rect = mupdf.FzIrect(*(round(side * scale) for side in within))
        self.scale = scale
        self._corner = self._rect.x0, self._rect.y0
        self._page = page
        self.colours = self._draw()

    def place(self, box: BBox, margin: int = 0) -> tuple[slice, slice]:
        """Rows and columns of a box."""
        left, top = self._corner
        height, width = self.colours.shape[:2]
        x0, y0, x1, y1 = (side * self.scale for side in box)
        rows = slice(max(int(y0 - top) - margin, 0), min(int(np.ceil(y1 - top)) + margin, height))
        columns = slice(max(int(x0 - left) - margin, 0), min(int(np.ceil(x1 - left)) + margin, width))
        return rows, columns

    def letters(self, boxes: Sequence[BBox], *, only_covered: bool) -> NDArray[np.uint8]:
        """
        Draw letters alone, whatever their colour: (height, width), 255 where a letter is.

        Args:
            boxes: only pieces of text that touch one of these.
            only_covered: only pieces that something is drawn over later.
        """
        pixmap = mupdf.FzPixmap(mupdf.FzColorspace(), self._rect, mupdf.FzSeparations(), 1)
        pixmap.fz_clear_pixmap()
        recorder = _Recorder(boxes)
        mupdf.fz_run_page(self._page.this, recorder, mupdf.FzMatrix(), mupdf.FzCookie())
        mupdf.fz_close_device(recorder)
        device = mupdf.fz_new_draw_device(self._matrix, pixmap)
        for order, box, text, ctm in recorder.texts:
            if not only_covered or any(
                later > order and _touch(box, cover) for later, cover in recorder.covers
            ):
                mupdf.fz_fill_text(
                    device,
                    text,
                    ctm,
                    mupdf.FzColorspace(mupdf.FzColorspace.Fixed_GRAY),
                    (0,),
                    1.0,
                    mupdf.FzColorParams(),
                )
        mupdf.fz_close_device(device)
        drawn = pymupdf.Pixmap(pixmap)
        return (
            np.frombuffer(drawn.samples_mv, np.uint8).reshape(drawn.height, drawn.width, -1)[:, :, -1].copy()
        )

    def _draw(self) -> Pixels:
        rgb = mupdf.FzColorspace(mupdf.FzColorspace.Fixed_RGB)
        pixmap = mupdf.FzPixmap(rgb, self._rect, mupdf.FzSeparations(), 0)
        pixmap.fz_clear_pixmap_with_value(255)
        device = mupdf.fz_new_draw_device(self._matrix, pixmap)
        mupdf.fz_run_page(self._page.this, device, mupdf.FzMatrix(), mupdf.FzCookie())
        mupdf.fz_close_device(device)
        drawn = pymupdf.Pixmap(pixmap)
        pixels = np.frombuffer(drawn.samples_mv, np.uint8).reshape(drawn.height, drawn.width, -1)
        return pixels[:, :, :3].astype(np.float32)


def stands_out(drawing: Drawing, mask: NDArray[np.uint8], box: BBox) -> bool | None:
    """Whether the letters of a box differ from what is right beside them; None when there are none to judge by."""
    place = drawing.place(box, _MARGIN_PX)
    letters, colours = mask[place], drawing.colours[place]
    if not letters.size or not letters.max():
        return None
    inside = letters >= min(_CORE, int(letters.max()) * 3 // 4)
    beside = (letters == 0).astype(np.float32)
    around = colours[letters == 0]
    if len(around) and inside.sum() >= _MIN_CORE_PX:
        # Most letters are plain to see on an even ground, which costs little to tell.
        apart = np.abs(colours[inside].mean(axis=0) - around.mean(axis=0)).max()
        if apart > _PLAIN and around.std(axis=0).max() < _EVEN * apart:
            return True
    # The mean colour of what is no letter, a few pixels around each pixel.
    weight = _blurred(beside[:, :, None])
    judged = inside & (weight[:, :, 0] > 0)
    if judged.sum() < _MIN_CORE_PX:
        return None
    ground = _blurred(colours * beside[:, :, None])[judged] / weight[judged]
    step = colours[judged] - ground
    rough = (
        colours[letters == 0] - _blurred(colours * beside[:, :, None])[letters == 0] / weight[letters == 0]
    )
    difference = float(np.abs(step.mean(axis=0)).max())
    return difference >= max(SEEN, _ROUGH * float(rough.std(axis=0).max()))


def _blurred(values: Pixels) -> Pixels:
    """Sums over squares of (2 * _BESIDE_PX + 1) pixels a side."""
    for axis in (0, 1):
        padding = [(0, 0)] * 3
        padding[axis] = (_BESIDE_PX + 1, _BESIDE_PX)
        sums = np.cumsum(np.pad(values, padding), axis=axis)
        span = 2 * _BESIDE_PX + 1
        after = sums[span:] if axis == 0 else sums[:, span:]
        before = sums[:-span] if axis == 0 else sums[:, :-span]
        values = after - before
    return values


class _Recorder(mupdf.FzDevice2):  # type: ignore[misc,name-defined]  # the bindings have no types
    """Notes text that touches some boxes, and what is painted, in the order of drawing."""

    def __init__(self, boxes: Sequence[BBox]) -> None:
        super().__init__()
        self.texts: list[tuple[int, BBox, Any, Any]] = []
        self.covers: list[tuple[int, BBox]] = []
        self._boxes = boxes
        self._order = 0
        for name in (
            "fill_text",
            "stroke_text",
            "clip_text",
            "clip_stroke_text",
            "fill_path",
            "fill_image",
            "fill_shade",
        ):
            getattr(self, f"use_virtual_{name}")()

    def fill_text(self, _context: Any, text: Any, ctm: Any, *_: Any) -> None:
        self._note(text, ctm)

    def stroke_text(self, _context: Any, text: Any, _stroke: Any, ctm: Any, *_: Any) -> None:
        self._note(text, ctm)

    def clip_text(self, _context: Any, text: Any, ctm: Any, _scissor: Any) -> None:
        self._note(text, ctm)

    def clip_stroke_text(self, _context: Any, text: Any, _stroke: Any, ctm: Any, _scissor: Any) -> None:
        self._note(text, ctm)

    def fill_path(self, _context: Any, path: Any, _even_odd: Any, ctm: Any, *_: Any) -> None:
        self._cover(mupdf.ll_fz_bound_path(path, None, ctm))

    def fill_image(self, _context: Any, _image: Any, ctm: Any, *_: Any) -> None:
        across, down = (
            (ctm.e, ctm.e + ctm.a, ctm.e + ctm.c, ctm.e + ctm.a + ctm.c),
            (ctm.f, ctm.f + ctm.b, ctm.f + ctm.d, ctm.f + ctm.b + ctm.d),
        )
        self._paint((min(across), min(down), max(across), max(down)))

    def fill_shade(self, _context: Any, shade: Any, ctm: Any, *_: Any) -> None:
        self._cover(mupdf.ll_fz_bound_shade(shade, ctm))

    def _cover(self, rect: Any) -> None:
        self._paint((rect.x0, rect.y0, rect.x1, rect.y1))

    def _paint(self, box: BBox) -> None:
        self._order += 1
        self.covers.append((self._order, box))

    def _note(self, text: Any, ctm: Any) -> None:
        self._order += 1
        rect = mupdf.ll_fz_bound_text(text, None, ctm)
        box = rect.x0, rect.y0, rect.x1, rect.y1
        if any(_touch(box, other) for other in self._boxes):
            kept = mupdf.FzText(mupdf.ll_fz_keep_text(text))
            self.texts.append((self._order, box, kept, mupdf.FzMatrix(ctm)))


def _touch(a: BBox, b: BBox) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
