"""
Words and their boxes from the picture of a page.

Two networks: one marks where text stands, one reads each line of it. The steps between them follow
PaddleOCR; no angle classifier, which turned good lines around (word recall on six pages 0.996 without it,
0.953 with it) and cost a fifth of the time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ragvl.indexers.ocr_models import Engine, load_ocr_models
from ragvl.types import BBox

_MAX_SIDE = 1600  # of the picture in which lines are sought, pixels; lines are read at full size
_STRIDE = 32  # the detector halves its picture five times
_BAND = 480  # rows of it that the detector sees at a time, and how many it sees above and below them
_BAND_MARGIN = 64
_TEXT = 0.3  # share of text from which a pixel belongs to a line
_LINE = 0.5  # mean share of text from which a region is a line
_GROW = 1.6  # the detector marks the core of a line
_MAX_LINES = 1000
_LINE_HEIGHT = 48  # of what the recogniser sees, pixels
_MAX_LINE_WIDTH = 3840
_SQUEEZE = 0.8  # of a line's width: a fifth faster, and no fewer words right (0.7 loses some)
_WIDTH_STEP = 64  # few different widths keep the engine's caches small
_STEP_PIXELS = 8  # of the recogniser's picture to a step of its output
_SURE = 0.5  # mean probability from which a line is kept
_UPRIGHT = 1.5  # a region so many times as high as wide holds turned text
_FLAT = 4.0  # standard deviation of grey values, of 255, under which a picture is empty


class OcrWord(NamedTuple):
    """A word, with its box in pixels of the picture."""

    text: str
    box_px: BBox


class OcrLine(NamedTuple):
    """
    A line of words.

    Attributes:
        upright: whether it runs from left to right.
    """

    words: tuple[OcrWord, ...]
    box_px: BBox
    upright: bool


class OcrEngine:
    """Both networks, loaded; one to a process."""

    def __init__(self, engine: Engine = "auto", threads: int = 1) -> None:
        import cv2

        cv2.setNumThreads(threads)
        self._cv2 = cv2
        self._models = load_ocr_models(engine, threads)

    def find_lines(self, image: Image.Image) -> NDArray[np.float32]:
        """Find lines as (n, 4, 2) corners in pixels, clockwise from where the text begins at the top."""
        if is_flat(image):
            return np.empty((0, 4, 2), dtype=np.float32)
        pixels = _resized(image)
        height, width = pixels.shape[:2]
        marks = self._marks(pixels)
        corners = list(self._regions(marks))
        if not corners:
            return np.empty((0, 4, 2), dtype=np.float32)
        scale = np.array([image.width / width, image.height / height], dtype=np.float32)
        return np.stack(corners) * scale

    def read_lines(self, image: Image.Image, corners: NDArray[np.float32]) -> list[OcrLine]:
        """Read the lines found in a picture; those that the recogniser is not sure of are left out."""
        pixels = np.asarray(_rgb(image))[:, :, ::-1]
        lines = (self._read(pixels, quad) for quad in corners)
        return [line for line in lines if line is not None]

    def read(self, image: Image.Image) -> list[OcrLine]:
        """Find and read all lines, in no particular order."""
        return self.read_lines(image, self.find_lines(image))

    def _marks(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        How much each pixel of a (height, width, 3) picture belongs to text, as (height, width).

        The detector sees a band at a time: its memory grows with what it sees, by 340 MB for a page.
        """
        height, width = pixels.shape[:2]
        bands = -(-height // _BAND)
        step = -(-height // (bands * _STRIDE)) * _STRIDE
        marks = np.empty((height, width), np.float32)
        for top in range(0, height, step):
            end = min(top + step, height)
            above, below = max(top - _BAND_MARGIN, 0), min(end + _BAND_MARGIN, height)
            seen = self._models.detect(_normalised(pixels[above:below]))[0, 0]
            marks[top:end] = seen[top - above : end - above]
        return marks

    def _regions(self, marks: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        cv2 = self._cv2
        mask = cv2.dilate((marks > _TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        limit = np.array(marks.shape[::-1], dtype=np.float32)
        for contour in contours[:_MAX_LINES]:
            centre, (width, height), angle = cv2.minAreaRect(contour)
            if min(width, height) < 3 or self._mean(marks, contour) < _LINE:
                continue
            grow = 2 * width * height * _GROW / (2 * (width + height))
            grown = cv2.boxPoints((centre, (width + grow, height + grow), angle))
            yield _clockwise(np.clip(grown, 0, limit))

    def _mean(self, marks: NDArray[np.float32], contour: NDArray[np.int32]) -> float:
        x, y, width, height = self._cv2.boundingRect(contour)
        mask = np.zeros((height, width), dtype=np.uint8)
        self._cv2.fillPoly(mask, [contour - np.array([x, y])], 1)
        return float(self._cv2.mean(marks[y : y + height, x : x + width], mask)[0])

    def _read(self, pixels: NDArray[np.uint8], quad: NDArray[np.float32]) -> OcrLine | None:
        width = max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[3] - quad[2]))
        height = max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]))
        if width < 4 or height < 4:
            return None
        turned = height >= _UPRIGHT * width
        if turned:
            # Text that climbs: its first letter stands at the lower left.
            quad, width, height = np.roll(quad, 1, axis=0), height, width
        strip, used = self._strip(pixels, quad, float(_SQUEEZE * width / height))
        words = _decode(self._models.recognise(strip)[0], self._models.characters, used)
        placed = tuple(OcrWord(text, _box(_part(quad, start, end))) for text, start, end in words)
        return OcrLine(placed, _box(quad), not turned) if placed else None

    def _strip(
        self, pixels: NDArray[np.uint8], quad: NDArray[np.float32], ratio: float
    ) -> tuple[NDArray[np.float32], int]:
        """A line as the recogniser takes it, (1, 3, 48, width), and the steps of output that it fills."""
        cv2 = self._cv2
        width = min(max(math.ceil(_LINE_HEIGHT * ratio), 8), _MAX_LINE_WIDTH)
        target = np.array([[0, 0], [width, 0], [width, _LINE_HEIGHT], [0, _LINE_HEIGHT]], dtype=np.float32)
        transform = cv2.getPerspectiveTransform(np.ascontiguousarray(quad), target)
        size = (width, _LINE_HEIGHT)
        line = cv2.warpPerspective(
            pixels, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        padded = np.zeros((1, 3, _LINE_HEIGHT, -(-width // _WIDTH_STEP) * _WIDTH_STEP), dtype=np.float32)
        padded[:, :, :, :width] = _normalised(line)
        return padded, width


def is_flat(image: Image.Image) -> bool:
    """Whether a picture holds nothing but one tone."""
    small = image.convert("L")
    small.thumbnail((400, 400))
    return float(np.asarray(small, dtype=np.float32).std()) < _FLAT


def _rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _resized(image: Image.Image) -> NDArray[np.uint8]:
    scale = min(1.0, _MAX_SIDE / max(image.size))
    width, height = (max(_STRIDE, round(side * scale / _STRIDE) * _STRIDE) for side in image.size)
    resized = _rgb(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)[:, :, ::-1]


def _normalised(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    scaled = pixels.astype(np.float32) * (2 / 255) - 1
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def _clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Corners from the upper left one, clockwise."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]]).astype(np.float32)


def _decode(
    steps: NDArray[np.float32], characters: tuple[str, ...], width: int
) -> list[tuple[str, float, float]]:
    """Words with where they begin and end, as shares of the line; none when the recogniser was not sure."""
    best = steps.argmax(axis=1)
    kept = best != 0
    kept[1:] &= best[1:] != best[:-1]
    positions = np.flatnonzero(kept)
    if not len(positions) or steps[positions, best[positions]].mean() < _SURE:
        return []
    pixels_a_step = _STEP_PIXELS / width
    words: list[tuple[str, float, float]] = []
    text, first, last = "", 0, 0
    for position in positions:
        character = characters[best[position]]
        if character.isspace():
            if text:
                words.append((text, first * pixels_a_step, (last + 1) * pixels_a_step))
            text = ""
            continue
        if not text:
            first = int(position)
        text += character
        last = int(position)
    if text:
        words.append((text, first * pixels_a_step, (last + 1) * pixels_a_step))
    return words


def _part(quad: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    """The part of a line from one share of its length to another."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    start, end = min(max(start, 0.0), 1.0), min(max(end, 0.0), 1.0)
    return np.stack(
        [quad[0] + start * top, quad[0] + end * top, quad[3] + end * bottom, quad[3] + start * bottom]
    )


def _box(corners: NDArray[np.float32]) -> BBox:
    x0, y0 = corners.min(axis=0)
    x1, y1 = corners.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)
