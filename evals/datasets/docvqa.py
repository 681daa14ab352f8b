"""
DocVQA and InfographicVQA (Mathew et al.) as page retrieval with answers: which page was the question asked about?

The corpus is the pages of the validation split, each once; the answers of the test split are not public. Many questions
were asked with the page in view ("what is the date?") and do not say which page they mean, so the numbers are lower than
those of sets made for retrieval.
"""

from __future__ import annotations

from collections.abc import Sequence

from ragvl.evals.datasets.beir import image_set
from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.source import Repository
from ragvl.evals.datasets.table import Table
from ragvl.evals.types import CorpusPage, EvalQuery, EvalSet

__all__ = ["DOCVQA"]

_SPLIT = "validation"
_TABLES = {"docvqa": "DocVQA", "infovqa": "InfographicVQA"}


def _load(known: KnownSet, options: LoadOptions) -> EvalSet:
    source = known.open(options)
    rows = source.table(_TABLES[known.name], _SPLIT)
    places = _docvqa_places(rows) if known.name == "docvqa" else _infovqa_places(rows)
    names = [f"{document}_{number}" if number is not None else document for document, number in places]
    pages: dict[str, CorpusPage] = {}
    for name, (document, number), picture in zip(names, places, rows.pictures("image"), strict=True):
        pages.setdefault(name, CorpusPage(name, document, number or 1, picture))
    queries = tuple(_queries(rows))
    return image_set(
        known.name,
        board=f"{_TABLES[known.name]}, {_SPLIT} split, as page retrieval; no board scores it so",
        revision=source.revision,
        main_metric="ndcg@5",
        pages=tuple(pages.values()),
        queries=queries,
        relevance={query.id: {name: 1} for query, name in zip(queries, names, strict=True)},
        answer_rule="anls",
    )


def _queries(rows: Table) -> list[EvalQuery]:
    names = [str(each) for each in rows.column("questionId")]
    kinds = rows.optional("question_types", "answer_type")
    return [
        EvalQuery(
            id=name,
            text=str(text),
            language="en",
            answers=tuple(dict.fromkeys(answers or ())),
            answerable=True,
            groups={"question type": tuple(kind)} if kind else {},
        )
        for name, text, answers, kind in zip(
            names, rows.column("question"), rows.column("answers"), kinds, strict=True
        )
    ]


def _docvqa_places(rows: Table) -> list[tuple[str, int | None]]:
    """Document and page of every question, as the names of the pages' files have them."""
    numbers = rows.column("ucsf_document_page_no")
    return [
        (str(name), int(number))
        for name, number in zip(rows.column("ucsf_document_id"), numbers, strict=True)
    ]


def _infovqa_places(rows: Table) -> list[tuple[str, int | None]]:
    """The address of every question's picture, which is a document of one page."""
    return [(str(address), None) for address in rows.column("image_url")]


def _row(name: str, what: str, size: str) -> KnownSet:
    return KnownSet(
        name=name,
        what=what,
        size=size,
        licence="Apache-2.0 (as its card states it)",
        repository=Repository("lmms-lab/DocVQA"),
        load=_load,
    )


DOCVQA: Sequence[KnownSet] = (
    _row("docvqa", "scanned industry documents, short answers", "5349 questions"),
    _row("infovqa", "infographics, short answers", "2801 questions"),
)
