"""Small pictures of pages, drawn from the files or images of a dataset and kept once in a report."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from PIL import Image

from ragvl.config import PassageConfig, ReadingConfig
from ragvl.errors import RagvlError
from ragvl.evals.types import AnnotatedBox, CorpusPage, EvalSet
from ragvl.indexers.readers.media import media_type_of
from ragvl.indexers.workers import ReadingPool
from ragvl.markup import Html, join
from ragvl.sheets import Mark, Sheet, figure

__all__ = ["Pictures"]

logger = logging.getLogger(__name__)

_DPI = 72
_LONGEST_SIDE = 840  # pixels
_WEBP_QUALITY = 55
_BUDGET_BYTES = 6 << 20  # of pictures, before base64 makes them a third larger


class Pictures:
    """The pictures of one report; use it in a `with` statement."""

    def __init__(self, eval_set: EvalSet | None) -> None:
        self._pages: Mapping[str, CorpusPage] = {page.id: page for page in eval_set.pages} if eval_set else {}
        self._files = {one.id: one.path for one in eval_set.documents} if eval_set else {}
        self._boxes = eval_set.boxes if eval_set else {}
        self._sheets: dict[str, Sheet] = {}
        self._pool: ReadingPool | None = None
        self._spent_bytes = 0
        self._drawn = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.close()

    def place(self, page_id: str) -> tuple[str, str]:
        """Say in which document a page is, and which one: ("report.pdf", "page 3")."""
        page = self._pages.get(page_id)
        if page is not None and page.document != page.id:
            return page.document, f"page {page.number}"
        document, mark, number = page_id.rpartition("#")
        return (document, f"page {number}") if mark and number.isdecimal() else (page_id, "")

    def figure(self, page_id: str, query_id: str) -> Html:
        """Draw a page with the places on it that annotators marked for a query; nothing where there is no data."""
        page = self._pages.get(page_id)
        if page is None:
            return Html("")
        sheet = self._sheet(page)
        if sheet is None:
            return Html("")
        boxes = self._boxes.get((query_id, page_id), ())
        self._drawn += 1
        return figure(sheet, [_mark(boxes)] if boxes else [], f"view-{self._drawn}")

    def store(self) -> Html:
        """Return the symbols that every view refers to."""
        return join(
            Html(
                f'<symbol id="{sheet.id}" viewBox="0 0 {sheet.width:g} {sheet.height:g}">'
                f'<image href="{sheet.data_uri}" width="100%" height="100%" preserveAspectRatio="none"/></symbol>'
            )
            for sheet in self._sheets.values()
            if sheet.data_uri
        )

    def _sheet(self, page: CorpusPage) -> Sheet | None:
        """The page as a sheet; None when the report has as many pictures as it may."""
        if page.id not in self._sheets:
            if self._spent_bytes >= _BUDGET_BYTES:
                return None
            self._sheets[page.id] = self._draw(page)
        return self._sheets[page.id]

    def _draw(self, page: CorpusPage) -> Sheet:
        document, place = self.place(page.id)
        name = f"sheet-{len(self._sheets) + 1}"
        label = f"{place} of {document}" if place else document
        image = self._image(page)
        if image is None:
            return Sheet(name, 612.0, 792.0, False, "", label, document)
        width, height = page.size_pt or (float(image.width), float(image.height))
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "WEBP", quality=_WEBP_QUALITY, method=4)
        self._spent_bytes += buffer.tell()
        data = base64.b64encode(buffer.getvalue()).decode()
        return Sheet(name, width, height, True, f"data:image/webp;base64,{data}", label, document)

    def _image(self, page: CorpusPage) -> Image.Image | None:
        try:
            if page.image is not None:
                return page.image()
            path = self._files[page.document].resolve()
            if self._pool is None:
                self._pool = ReadingPool(ReadingConfig(workers=1), PassageConfig())
            drawn = self._pool.render(path, media_type_of(path), page.number, dpi=_DPI)
            return Image.open(io.BytesIO(drawn))
        except (RagvlError, OSError, KeyError, ValueError) as error:
            logger.warning("%s cannot be drawn: %s", page.id, error)
            return None


def _mark(boxes: tuple[AnnotatedBox, ...]) -> Mark:
    return Mark(tuple((box.x0, box.y0, box.x1, box.y1) for box in boxes), "pen-1")
