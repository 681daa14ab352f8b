"""Questions that name pages of documents, as several public sets do, and what becomes of pages that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.files import DocumentFiles, page_id
from ragvl.evals.datasets.nearest import suggestion
from ragvl.evals.types import EvalQuery

__all__ = ["PagedQuestion", "judge", "require_documents"]


@dataclass(frozen=True, slots=True)
class PagedQuestion:
    """
    A question and the pages that hold its answer.

    Attributes:
        pages: (document id, page number from 1); a number that the document does not have is a mistake in the data.
        place: where the question stands in the source, such as "line 7".
    """

    query: EvalQuery
    pages: tuple[tuple[str, int], ...]
    place: str


def require_documents(home: Path, wanted: Iterable[str], files: DocumentFiles) -> None:
    """
    Check that documents are there.

    Raises:
        DatasetError: some are not.
    """
    names = sorted(set(wanted))
    missing = [name for name in names if name not in files.ids]
    if missing:
        raise DatasetError(
            f"{home}: {len(missing)} of the {len(names)} documents that questions are about are not there, such as "
            f"{missing[0]!r}{suggestion(missing[0], files.ids)}"
        )


def judge(
    questions: Sequence[PagedQuestion], files: DocumentFiles
) -> tuple[Mapping[str, Mapping[str, int]], tuple[str, ...]]:
    """
    Take the pages that are there as relevant, with grade 1.

    Questions that the documents do not answer have no relevant pages.

    Returns:
        Query id to page id to grade, and a note on everything that was left out.
    """
    relevance: dict[str, Mapping[str, int]] = {}
    notes = []
    unmarked = 0
    unanswerable = 0
    for each in questions:
        if each.query.answerable is False:
            unanswerable += bool(each.pages)
            continue
        there = {
            page_id(document, number): 1 for document, number in each.pages if files.holds(document, number)
        }
        absent = [page for page in each.pages if not files.holds(*page)]
        notes += [
            f"{each.place}: {document} has no page {number}; not counted." for document, number in absent
        ]
        if there:
            relevance[each.query.id] = there
        elif not absent:
            unmarked += 1
    if unmarked:
        notes.append(f"{unmarked} answerable questions have no evidence pages; they count for answers only.")
    if unanswerable:
        notes.append(f"{unanswerable} unanswerable questions have evidence pages, which are not counted.")
    return relevance, tuple(notes)
