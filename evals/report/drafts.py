"""The page that shows drafts of questions, each beside the page that it was taken from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import ragvl
from ragvl.errors import ReadError
from ragvl.evals.datasets.files import page_id, page_size_pt
from ragvl.evals.drafting import QuestionFile, Row
from ragvl.evals.report.html import fill, tag, whole_page
from ragvl.evals.report.pictures import Pictures
from ragvl.evals.report.words import counted
from ragvl.evals.types import AnnotatedBox, CorpusPage, EvalDocument, EvalSet
from ragvl.indexers.readers.media import media_type_of
from ragvl.markup import Html, join

__all__ = ["drafts_page"]


def drafts_page(title: str, questions: QuestionFile) -> str:
    """
    Write the drafts of a question file as one self-contained HTML page.

    Returns:
        The HTML, to be written as UTF-8; it loads nothing and runs no script.
    """
    rows = questions.drafts()
    with Pictures(_as_set(questions, rows)) as pictures:
        cards = join(_card(number, len(rows), row, pictures) for number, row in enumerate(rows, 1))
        images = pictures.store()
    lead = f"{counted(len(rows), 'draft')} that nobody has looked at yet, in the order of ragvl eval review."
    body = fill("drafts", title=title, lead=lead, cards=cards)
    return whole_page(title, body, f"Written by ragvl {ragvl.__version__}.", images)


def _card(number: int, total: int, row: Row, pictures: Pictures) -> Html:
    document, pages = str(row.get("document", "")), _pages(row)
    pictured = (
        pictures.figure(page_id(document, pages[0]), str(row.get("id"))) if document and pages else Html("")
    )
    where = (
        f"{document}, page {', '.join(map(str, pages))}"
        if document
        else "No document is said to answer this."
    )
    return fill(
        "draft",
        figure=pictured,
        number=f"{number} of {total}",
        question=str(row["question"]),
        answer=str(row.get("answer", "")) or "the documents do not say",
        quote=tag("blockquote", str(row["quote"])) if row.get("quote") else Html(""),
        where=where,
    )


def _as_set(questions: QuestionFile, rows: Sequence[Row]) -> EvalSet:
    """The pages that the drafts name, as a dataset whose pages can be drawn."""
    pages: dict[str, CorpusPage] = {}
    boxes: dict[tuple[str, str], tuple[AnnotatedBox, ...]] = {}
    names = dict.fromkeys(str(row["document"]) for row in rows if row.get("document"))
    for row in rows:
        for number in _pages(row):
            name = page_id(str(row["document"]), number)
            path = questions.documents / str(row["document"])
            size = None
            if row.get("boxes"):
                with suppress(ReadError, OSError):
                    size = page_size_pt(path.resolve(), media_type_of(path.resolve()), number)
            pages[name] = CorpusPage(name, str(row["document"]), number, size_pt=size)
            if size:
                boxes[str(row.get("id")), name] = tuple(
                    AnnotatedBox("", *map(float, drawn["box"]))
                    for drawn in row["boxes"]
                    if drawn["page"] == number
                )
    documents = tuple(EvalDocument(name, questions.documents / name) for name in names)
    return EvalSet("", "", "", "", documents, tuple(pages.values()), (), {}, boxes)


def _pages(row: Row) -> list[int]:
    return [page for page in row.get("pages", ()) if isinstance(page, int)] if row.get("document") else []
