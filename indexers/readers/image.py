"""Pictures through Pillow: one page each, or one a frame of a TIFF."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from ragvl.errors import ReadError
from ragvl.indexers.readers.scale import POINTS_PER_INCH
from ragvl.types import BBox, DocumentStatus, PageContent, TextSource

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "MPO")
# 72 and 96 are written by programs that do not know; a screenshot's text is read best as it is.
_SANE_DPI = (97.0, 1200.0)
_ASSUMED_DPI = 150.0


class ImageReader:
    """Reader for raster images."""

    @contextmanager
    def open(self, path: Path, *, password: str | None, max_pixels: int) -> Iterator[ImageDocument]:
        """
        Open an image.

        Raises:
            ReadError: TOO_LARGE or CORRUPT.
        """
        with warnings.catch_warnings(), _without_pillows_limit(), _explained():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as image:
                yield ImageDocument(image, max_pixels)


class ImageDocument:
    """An open image; see `ragvl.protocols.OpenDocument`."""

    def __init__(self, image: Image.Image, max_pixels: int) -> None:
        self._image = image
        self._max_pixels = max_pixels
        self._warnings: tuple[str, ...] = ()
        self._check_size()
        self._page_count = int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1

    @property
    def page_count(self) -> int:
        """Frames of a TIFF; 1 for anything else, animations included."""
        return self._page_count

    @property
    def title(self) -> str:
        """Always empty."""
        return ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Whether the file ends too early."""
        return self._warnings

    def read_page(self, page_number: int) -> PageContent:
        """Give the page's size; an image has no text of its own."""
        width, height, dpi = self._seek(page_number)
        scale = POINTS_PER_INCH / dpi
        return PageContent(page_number, width * scale, height * scale, (), TextSource.NONE)

    def figure_boxes(self, page_number: int) -> tuple[BBox, ...]:
        """None: the page is the picture."""
        return ()

    def render(self, page_number: int, dpi: float) -> Image.Image:
        """
        Give the picture upright and on white, never larger than it is.

        Raises:
            ReadError: it cannot be decoded.
        """
        _, _, own_dpi = self._seek(page_number)
        self._load()
        picture = _on_white(ImageOps.exif_transpose(self._image))
        scale = dpi / own_dpi
        if scale >= 1:
            return picture
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        return picture.resize(size, Image.Resampling.LANCZOS)

    def _seek(self, page_number: int) -> tuple[int, int, float]:
        """Go to a frame; its width and height in pixels as displayed, and dots per inch."""
        with _explained():
            self._image.seek(page_number - 1)
        self._check_size()
        width, height = self._image.size
        # Orientations 5 to 8 lie on their side.
        if self._image.getexif().get(0x0112, 1) in {5, 6, 7, 8}:
            width, height = height, width
        return width, height, _dpi(self._image)

    def _check_size(self) -> None:
        width, height = self._image.size
        if width * height > self._max_pixels:
            raise ReadError(
                DocumentStatus.TOO_LARGE,
                f"{width} x {height} pixels are more than reading.max_pixels = {self._max_pixels}; "
                "make the picture smaller or raise the limit",
            )

    def _load(self) -> None:
        try:
            self._image.load()
        except (OSError, SyntaxError, ValueError):
            # Decode what there is; the switch is Pillow's own and is put back at once.
            ImageFile.LOAD_TRUNCATED_IMAGES = True
            try:
                with _explained():
                    self._image.load()
            finally:
                ImageFile.LOAD_TRUNCATED_IMAGES = False
            self._warnings = ("the picture is damaged or ends too early",)


def _dpi(image: Image.Image) -> float:
    given = image.info.get("dpi", (0, 0))
    dpi = float(given[0]) if isinstance(given, tuple) and given else 0.0
    return dpi if _SANE_DPI[0] <= dpi <= _SANE_DPI[1] else _ASSUMED_DPI


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # Sixteen bits or more: bring the values that occur to the range that is shown.
        low, high = image.getextrema()
        span = max(float(high) - float(low), 1e-6)  # type: ignore[arg-type] # one band, so two numbers
        image = image.convert("F").point(lambda value: (value - float(low)) * (255 / span))  # type: ignore[arg-type]
        return image.convert("L").convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


@contextmanager
def _without_pillows_limit() -> Iterator[None]:
    """Switch off Pillow's own guard, which is another limit; ours comes before anything is decoded."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ReadError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise ReadError(DocumentStatus.CORRUPT, f"not a readable picture: {error}") from None
