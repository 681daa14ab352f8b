"""ragvl's answer in the terms of a corpus."""

from __future__ import annotations

from ragvl.evals.systems.page_map import PageMap
from ragvl.evals.types import SystemAnswer, SystemCitation
from ragvl.types import Answer, Citation, Page

__all__ = ["system_answer"]

Box = tuple[float, float, float, float]


def system_answer(answer: Answer, pages: PageMap) -> SystemAnswer:
    """
    Translate an answer.

    A citation's page is that of its document and number, "" for one that is not in the corpus; its boxes are shares of
    the page's size.
    """
    kept = {entry.page_id for entry in answer.ledger if entry.kept}
    given = {_place(hit.page): hit.page for hit in answer.hits if hit.page.id in kept}
    context = [page_id for page in given.values() for page_id in pages.ids(page.document.sha256, page.number)]
    return SystemAnswer(
        text=answer.text,
        refused=answer.refused,
        confidence=answer.support,
        citations=tuple(_citation(citation, given, pages) for citation in answer.citations),
        context=tuple(dict.fromkeys(context)),
    )


def _citation(citation: Citation, given: dict[tuple[str, int], Page], pages: PageMap) -> SystemCitation:
    page = given.get((citation.document.sha256, citation.page_number))
    ids = pages.ids(citation.document.sha256, citation.page_number)
    boxes = [
        _share(region.bbox_pt, page.width_pt, page.height_pt)
        for region in citation.regions
        if page is not None and region.page_number == page.number
    ]
    return SystemCitation(ids[0] if ids else "", page is not None, citation.verified, tuple(boxes))


def _place(page: Page) -> tuple[str, int]:
    return page.document.sha256, page.number


def _share(box: Box, width: float, height: float) -> Box:
    x0, y0, x1, y1 = box
    return _within(x0 / width), _within(y0 / height), _within(x1 / width), _within(y1 / height)


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))
