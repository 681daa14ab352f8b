"""Drawing a page to be looked at: from the kept images, else from the document's file in a process of its own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ragvl.config import ReadingConfig
from ragvl.errors import ReadError
from ragvl.indexers.store.files import file_holding
from ragvl.indexers.store.rendered import keep_rendered, load_rendered
from ragvl.indexers.workers import draw_page
from ragvl.types import Document

logger = logging.getLogger(__name__)


def page_image(
    folder: Path, document: Document, paths: Sequence[Path], page_number: int, dpi: int, config: ReadingConfig
) -> bytes | None:
    """
    A page as a WebP image.

    Args:
        folder: the index folder, where drawn pages are kept.
        document: whose page.
        paths: where its file lies, or its copies.
        page_number: from 1.
        dpi: dots per inch.
        config: deadlines and limits.

    Returns:
        None when no file holds the content that was indexed, or the page cannot be drawn.
    """
    kept = load_rendered(folder, document.sha256, page_number, dpi)
    if kept is not None:
        return kept
    path = file_holding(paths, document.sha256)
    if path is None:
        return None
    try:
        image = draw_page(path, document.media_type, page_number, dpi, config)
    except ReadError as error:
        logger.warning("%s, page %d cannot be drawn: %s", document.path, page_number, error)
        return None
    keep_rendered(folder, document.sha256, page_number, dpi, image)
    return image
