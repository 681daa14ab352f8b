"""
The three tables that most page-retrieval sets are made of: corpus, queries and judgements.

The columns have had several names; the first that there is, is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.languages import code_of
from ragvl.evals.datasets.table import Table
from ragvl.evals.types import AnnotatedBox, CorpusPage, EvalQuery, EvalSet

__all__ = ["Ids", "as_is", "image_set", "read_boxes", "read_judgements", "read_pages", "read_queries"]

Ids = Callable[[str, object], str]
_PAGE_IDS = ("corpus-id", "corpus_id", "_id", "id")
_QUERY_IDS = ("query-id", "query_id", "_id", "id")
_JUDGED_QUERIES = ("query-id", "query_id")
_JUDGED_PAGES = ("corpus-id", "corpus_id")
_QUERY_TEXTS = ("query", "text")
_PAGE_TEXTS = ("markdown", "text")


def as_is(kind: str, value: object) -> str:
    """An id as the data has it; `kind` is "query" or "corpus"."""
    return str(value)


@dataclass(frozen=True, slots=True)
class _Placed:
    document: str
    number: int


def read_pages(corpus: Table, ids: Ids = as_is) -> tuple[CorpusPage, ...]:
    """
    Read the pages of a corpus; images open when they are asked for.

    Raises:
        DatasetError: it has no ids, or one twice.
    """
    names = [ids("corpus", value) for value in corpus.column(*_PAGE_IDS)]
    _refuse_twice(names, corpus.place)
    return tuple(
        CorpusPage(name, placed.document, placed.number, picture, text or "")
        for name, placed, picture, text in zip(
            names,
            _places(corpus, names),
            corpus.pictures("image"),
            corpus.optional(*_PAGE_TEXTS),
            strict=True,
        )
    )


def read_queries(
    queries: Table,
    ids: Ids = as_is,
    *,
    text: str = "",
    language: str = "",
    answers: tuple[str, ...] = (),
    groups: Mapping[str, str] | None = None,
) -> tuple[EvalQuery, ...]:
    """
    Read queries.

    Args:
        text: the column of their wording; "" for the usual one.
        language: of all of them, where no column says it.
        answers: columns of reference answers, each a text or a list of texts.
        groups: dimension that results are broken down by, to its column.

    Raises:
        DatasetError: a column is missing, or an id is there twice.
    """
    names = [ids("query", value) for value in queries.column(*_QUERY_IDS)]
    _refuse_twice(names, queries.place)
    texts = queries.column(*((text,) if text else _QUERY_TEXTS))
    languages = queries.optional("language")
    given = list(zip(*(queries.optional(column) for column in answers), strict=True)) or [()] * len(queries)
    dimensions = {name: queries.optional(column) for name, column in (groups or {}).items()}
    return tuple(
        EvalQuery(
            id=name,
            text=str(texts[row]),
            language=code_of(languages[row]) if languages[row] else language,
            answers=_texts(given[row]),
            groups={
                each: _texts([values[row]]) for each, values in dimensions.items() if _texts([values[row]])
            },
        )
        for row, name in enumerate(names)
    )


def read_judgements(
    judgements: Table, queries: Iterable[EvalQuery], ids: Ids = as_is
) -> dict[str, dict[str, int]]:
    """
    Read the grades of the pages that were judged for some queries; of a pair that is there twice, the last counts.

    Raises:
        DatasetError: a column is missing, or a grade is no whole number.
    """
    wanted = {query.id for query in queries}
    relevance: dict[str, dict[str, int]] = {}
    for query, page, score in zip(
        judgements.column(*_JUDGED_QUERIES),
        judgements.column(*_JUDGED_PAGES),
        _scores(judgements),
        strict=True,
    ):
        if score != int(score):
            raise DatasetError(f"{judgements.place}: the score {score} of query {query} is no whole number")
        name = ids("query", query)
        if name in wanted:
            relevance.setdefault(name, {})[ids("corpus", page)] = int(score)
    return relevance


def read_boxes(
    judgements: Table, queries: Iterable[EvalQuery], ids: Ids = as_is
) -> dict[tuple[str, str], tuple[AnnotatedBox, ...]]:
    """
    Read the boxes that annotators drew on judged pages: {annotator, x1, x2, y1, y2} in pixels of the page's image.

    Raises:
        DatasetError: a column is missing.
    """
    wanted = {query.id for query in queries}
    boxes = {}
    for query, page, drawn in zip(
        judgements.column(*_JUDGED_QUERIES),
        judgements.column(*_JUDGED_PAGES),
        judgements.column("bounding_boxes"),
        strict=True,
    ):
        if drawn and ids("query", query) in wanted:
            boxes[ids("query", query), ids("corpus", page)] = tuple(_box(each) for each in _rows(drawn))
    return {pair: each for pair, each in boxes.items() if each}


def image_set(
    name: str,
    *,
    board: str,
    revision: str,
    main_metric: str,
    pages: tuple[CorpusPage, ...],
    queries: tuple[EvalQuery, ...],
    relevance: Mapping[str, Mapping[str, int]],
    boxes: Mapping[tuple[str, str], tuple[AnnotatedBox, ...]] | None = None,
    answer_rule: str = "",
    notes: tuple[str, ...] = (),
) -> EvalSet:
    """A set whose pages are images; judged pages that the corpus does not hold are noted, and count as missed."""
    there = {page.id for page in pages}
    missing = sum(page not in there for judged in relevance.values() for page in judged)
    if missing:
        notes = (
            *notes,
            f"{missing} judged pages are not in the corpus; they count as missed, as in trec_eval.",
        )
    return EvalSet(
        name, board, revision, main_metric, (), pages, queries, relevance, boxes or {}, answer_rule, notes
    )


def _places(corpus: Table, names: list[str]) -> list[_Placed]:
    documents = corpus.optional("doc_id", "doc-id")
    numbers = corpus.optional("page_number_in_doc")
    # ViDoRe v3 counts from 0; whoever counts from 1 has no page 0.
    shift = 1 if 0 in numbers else 0
    return [
        _Placed(name, 1)
        if document is None or number is None
        else _Placed(str(document), int(number) + shift)
        for name, document, number in zip(names, documents, numbers, strict=True)
    ]


def _scores(judgements: Table) -> list[float]:
    """Grades; sets whose judgements have none list relevant pages only."""
    return [1 if score is None else score for score in judgements.optional("score")]


def _rows(drawn: object) -> list[Mapping[str, float]]:
    """A list of boxes, however it is stored: as such, or as an object of lists."""
    if isinstance(drawn, Mapping):
        return [dict(zip(drawn, values, strict=True)) for values in zip(*drawn.values(), strict=True)]
    return list(drawn) if isinstance(drawn, list) else []


def _box(each: Mapping[str, float]) -> AnnotatedBox:
    xs, ys = sorted((each["x1"], each["x2"])), sorted((each["y1"], each["y2"]))
    return AnnotatedBox(str(each["annotator"]), float(xs[0]), float(ys[0]), float(xs[1]), float(ys[1]))


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    """Every text in some values, each of which is one, a list of them or None; each text once."""
    members = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return tuple(dict.fromkeys(str(each) for each in members if each not in (None, "")))


def _refuse_twice(names: list[str], place: str) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DatasetError(f"{place}: the id {twice!r} is there more than once")
