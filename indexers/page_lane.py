"""Encoding pages for the image lane, as they come from the reading processes: drawn, with their text."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path

from PIL import Image

from ragvl.config import ImageConfig
from ragvl.indexers.passages import PageDraft
from ragvl.indexers.reading import Drawing
from ragvl.indexers.store.files import make_folder, writing
from ragvl.indexers.store.forms import LaneForms, PageEntry
from ragvl.indexers.words import unpack_words
from ragvl.protocols import PageEncoder, PageView

DRAWN_FOLDER = "drawn"
_PAGES_AT_ONCE = 16  # that are in memory, drawn; the encoder makes batches of its own of them


class PageLane:
    """
    Encodes the drawn pages of one run of indexing; use it in one thread, `cancel` from any.

    Attributes:
        drawing: how reading processes must draw pages for it.
        pages_encoded: up to now.
    """

    def __init__(self, folder: Path, encoder: PageEncoder, forms: LaneForms, config: ImageConfig) -> None:
        """
        Prepare a run.

        Args:
            folder: of the index; drawn pages wait in it.
            encoder: of the image lane.
            forms: of the index's lanes.
            config: of the image lane.
        """
        drawn = folder / DRAWN_FOLDER
        with writing(drawn):
            make_folder(drawn)
        self.drawing = Drawing(drawn, config.dpi, config.max_side_px)
        self.pages_encoded = 0
        self._encoder = encoder
        self._forms = forms
        self._cancelled = threading.Event()

    def encode(self, pages: Sequence[PageDraft]) -> list[PageEntry | None]:
        """
        Encode drawn pages and delete their pictures; None for a page without one.

        Raises:
            CancelledError: `cancel` was called.
        """
        entries: list[PageEntry | None] = [None] * len(pages)
        drawn = [place for place, page in enumerate(pages) if page.picture is not None]
        for start in range(0, len(drawn), _PAGES_AT_ONCE):
            if self._cancelled.is_set():
                raise CancelledError
            places = drawn[start : start + _PAGES_AT_ONCE]
            bags = self._encoder.encode_pages([page_view(pages[place]) for place in places])
            for place, bag in zip(places, bags, strict=True):
                page = pages[place]
                entries[place] = self._forms.page_entry(bag, page.width_pt, page.height_pt)
                self.pages_encoded += 1
        for page in pages:
            if page.picture is not None:
                page.picture.unlink(missing_ok=True)
        return entries

    def cancel(self) -> None:
        """End `encode` before its next pages."""
        self._cancelled.set()

    def close(self) -> None:
        """Delete the pictures that are left."""
        shutil.rmtree(self.drawing.folder, ignore_errors=True)


def page_view(page: PageDraft) -> PageView:
    """What the encoder is shown of a drawn page."""
    if page.picture is None:
        raise ValueError(f"page {page.number} was not drawn")
    with Image.open(page.picture) as opened:
        image = opened.convert("RGB")
    words = unpack_words(page.words, page.width_pt, page.height_pt)
    return PageView(image, page.text, words, page.width_pt, page.height_pt)
