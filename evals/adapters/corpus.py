"""A corpus as evaluation frameworks hand it over, as a set of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ragvl.evals.types import CorpusPage, EvalSet

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["PageImage", "corpus_of_pages"]

PageImage = Callable[[], "Image"] | None  # opens an image as RGB; None for a page that has none


def corpus_of_pages(
    name: str, ids: Sequence[str], images: Iterable[PageImage], texts: Iterable[str], revision: str = ""
) -> EvalSet:
    """
    Make a set without queries, of which every page is a document of its own.

    Args:
        revision: commit of the data where it is known; without it the images of pages that have no text are read,
            so that other data of the same name are told apart.
    """
    pages = tuple(
        CorpusPage(page, page, 1, image, text) for page, image, text in zip(ids, images, texts, strict=True)
    )
    return EvalSet(
        name=name,
        board="",
        revision=f"{revision}+{_digest(pages, images_too=not revision)}",
        main_metric="",
        documents=(),
        pages=pages,
        queries=(),
        relevance={},
    )


def _digest(pages: Sequence[CorpusPage], *, images_too: bool) -> str:
    digest = hashlib.sha256()
    for page in pages:
        digest.update(repr((page.id, page.text)).encode("utf-8", "surrogatepass"))
        if images_too and page.image and not page.text.strip():
            image = page.image()
            digest.update(repr(image.size).encode() + image.tobytes())
    return digest.hexdigest()[:16]
