"""
Somebody's own documents and questions:

    handbook/
      documents/          PDF and whatever else ragvl reads, in folders or not
      questions.jsonl     one JSON object a line

    {"question": "How long is the notice period?", "answer": "three months",
     "document": "contracts/terms.pdf", "pages": [4]}

Fields of a question; only `question` must be there:

| field | what |
|---|---|
| `id` | text; the number of the line when it is not given |
| `question` | text |
| `answer`, `answers` | a text, or several of which any is right |
| `document` | path below `documents/` |
| `pages` | numbers from 1 in `document`; or texts such as "terms.pdf#4", when there are several documents |
| `grade` | how relevant these pages are, a whole number from 1 up; 1 when it is not given |
| `boxes` | where on a page: `{"page": 4, "box": [x0, y0, x1, y1]}` in points from the top left; `annotator` |
| `answerable` | false when the documents do not answer it |
| `answer_format` | Str, Int, Float, List or None, which decide how an answer is compared |
| `groups` | what results are broken down by: `{"department": "legal"}` |
| `language` | ISO 639-1 code of the question |
| `quote`, `excerpt` | words of the page, for who checks the question; they are not compared with anything |
| `draft` | true for a question that nobody has looked at yet: it is left out |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ragvl.errors import ReadError
from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.files import DocumentFiles, content_hash, find_documents, page_id, page_size_pt
from ragvl.evals.datasets.nearest import nearest, suggestion
from ragvl.evals.datasets.rows import FieldError, Row, read_rows, take_all
from ragvl.evals.types import AnnotatedBox, EvalQuery, EvalSet

__all__ = ["load_folder"]

_FIELDS = (
    "id", "question", "answer", "answers", "document", "pages", "grade", "boxes", "answerable", "answer_format",
    "groups", "language", "quote", "excerpt", "draft",
)  # fmt: skip
_FORMATS = ("Str", "Int", "Float", "List", "None")
_MISTYPED = 0.75


@dataclass(frozen=True, slots=True)
class _Question:
    query: EvalQuery
    pages: Mapping[str, int]
    boxes: Mapping[str, tuple[AnnotatedBox, ...]] = field(default_factory=dict)


def load_folder(folder: Path, *, language: str = "", answer_rule: str = "") -> EvalSet:
    """
    Load a folder of `documents/` and `questions.jsonl`.

    Args:
        language: only questions whose `language` it is; "" for all.
        answer_rule: as in `EvalSet`; "" for "mmlongbench" where a question has an answer format, else "anls"
            where one has an answer.

    Raises:
        DatasetError: something is missing, or questions are wrong; the message has their lines.
        OSError: a file cannot be read.
    """
    path = folder / "questions.jsonl"
    files = find_documents(folder / "documents")
    if not files.documents:
        raise DatasetError(f"{folder / 'documents'}: no document that ragvl reads; put the documents there")
    rows = read_rows(path)
    kept = [row for row in rows if row.values.get("draft") is not True]
    if not kept:
        raise DatasetError(f"{path}: {_nothing_left(rows)}")
    questions = take_all(path, kept, lambda row: _question(row, files))
    _refuse_twice(path, kept, questions)
    if language:
        questions = _of_language(path, questions, language)
    queries = tuple(each.query for each in questions)
    boxes = {(each.query.id, page): drawn for each in questions for page, drawn in each.boxes.items()}
    named = [("questions.jsonl", path), *((f"documents/{each.id}", each.path) for each in files.documents)]
    return EvalSet(
        name=folder.resolve().name,
        board="",
        revision=content_hash(named),
        main_metric="ndcg@10",
        documents=files.documents,
        pages=files.pages(_sizes(files, {page for _, page in boxes})),
        queries=queries,
        relevance={each.query.id: each.pages for each in questions if each.pages},
        boxes=boxes,
        answer_rule=answer_rule or _usual_rule(queries),
        notes=(*files.notes, *_notes(rows, len(kept))),
    )


def _question(row: Row, files: DocumentFiles) -> _Question:
    for name in row.values:
        meant = nearest(name, _FIELDS, _MISTYPED)
        if meant and meant != name:
            raise FieldError(f"{name!r} is no field; did you mean {meant!r}?")
    row.flag("draft")
    text = row.text("question").strip()
    if not text:
        raise FieldError("'question' is empty")
    document = row.text("document", default="")
    if document:
        _require(document, files)
    pages = {_page(each, document, files): _grade(row) for each in row.items("pages")}
    answers = row.texts("answers") or row.texts("answer")
    answerable = row.flag("answerable")
    if answerable is False and pages:
        raise FieldError("'answerable' is false, but 'pages' names pages that answer it")
    query = EvalQuery(
        id=row.text("id", default=f"q{row.number}"),
        text=text,
        document=document,
        language=row.text("language", default=""),
        answers=answers,
        answer_format=_format(row),
        answerable=True if answerable is None and (pages or answers) else answerable,
        groups=_groups(row),
    )
    return _Question(query, pages, _boxes(row, document, files, pages))


def _page(value: object, document: str, files: DocumentFiles) -> str:
    if isinstance(value, str) and "#" in value:
        document, _, digits = value.rpartition("#")
        _require(document, files)
        number = int(digits) if digits.isdecimal() else 0
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise FieldError(f"'pages' holds {value!r}; write numbers from 1, or texts such as 'report.pdf#4'")
    if not document:
        raise FieldError("'pages' are given without 'document'")
    if number < 1:
        raise FieldError(f"page {value!r}: pages count from 1")
    if not files.holds(document, number):
        raise FieldError(f"page {number} is beyond the end of {document}, which has {files.counts[document]}")
    return page_id(document, number)


def _require(document: str, files: DocumentFiles) -> None:
    if document not in files.ids:
        raise FieldError(f"no document {document!r} in documents/{suggestion(document, files.ids)}")


def _grade(row: Row) -> int:
    grade = row.values.get("grade")
    if grade is None:
        return 1
    if isinstance(grade, bool) or not isinstance(grade, int) or grade < 1:
        raise FieldError(f"'grade' must be a whole number from 1 up, not {grade!r}")
    return grade


def _format(row: Row) -> str:
    given = row.text("answer_format", default="")
    known = next((each for each in _FORMATS if each.casefold() == given.casefold()), "")
    if given and not known:
        raise FieldError(f"'answer_format' is {given!r}; known: {', '.join(_FORMATS)}")
    return known


def _groups(row: Row) -> dict[str, tuple[str, ...]]:
    given = row.values.get("groups")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise FieldError('\'groups\' must be an object such as {"department": "legal"}')
    inner = Row(row.place, row.number, given)
    return {name: inner.texts(name) for name in given}


def _boxes(
    row: Row, document: str, files: DocumentFiles, pages: Mapping[str, int]
) -> dict[str, tuple[AnnotatedBox, ...]]:
    boxes: dict[str, tuple[AnnotatedBox, ...]] = {}
    for each in row.items("boxes"):
        if not isinstance(each, dict) or "page" not in each or "box" not in each:
            raise FieldError('\'boxes\' holds what is no {"page": 4, "box": [x0, y0, x1, y1]}')
        page = _page(each["page"], document, files)
        if page not in pages:
            raise FieldError(f"'boxes' names page {each['page']!r}, which 'pages' does not")
        drawn = AnnotatedBox(str(each.get("annotator", "")), *_corners(each["box"]))
        boxes[page] = (*boxes.get(page, ()), drawn)
    return boxes


def _corners(box: object) -> tuple[float, float, float, float]:
    numbers = [each for each in box if type(each) in (int, float)] if isinstance(box, list) else []
    if not isinstance(box, list) or len(box) != 4 or len(numbers) != 4:
        raise FieldError(f"'box' must be [x0, y0, x1, y1] in points, not {box!r}")
    x0, y0, x1, y1 = (float(each) for each in numbers)
    if x0 >= x1 or y0 >= y1:
        raise FieldError(f"'box' {box!r} has no area: x0 < x1 and y0 < y1, from the top left")
    return x0, y0, x1, y1


def _sizes(files: DocumentFiles, pages: set[str]) -> dict[str, tuple[float, float]]:
    paths = {document.id: document.path for document in files.documents}
    sizes = {}
    for page in pages:
        document, _, number = page.rpartition("#")
        try:
            sizes[page] = page_size_pt(paths[document].resolve(), files.kinds[document], int(number))
        except ReadError as error:
            raise DatasetError(f"{paths[document]}: boxes are given on {page}, but {error}") from None
    return sizes


def _of_language(path: Path, questions: list[_Question], language: str) -> list[_Question]:
    kept = [each for each in questions if each.query.language == language]
    if not kept:
        there = sorted({each.query.language for each in questions} - {""})
        raise DatasetError(
            f"{path}: no question has the language {language!r}; there: {', '.join(there) or 'none'}"
        )
    return kept


def _usual_rule(queries: tuple[EvalQuery, ...]) -> str:
    if any(query.answer_format for query in queries):
        return "mmlongbench"
    return "anls" if any(query.answers for query in queries) else ""


def _refuse_twice(path: Path, rows: list[Row], questions: list[_Question]) -> None:
    counted = Counter(each.query.id for each in questions)
    for name, count in counted.items():
        if count > 1:
            places = [row.place for row, each in zip(rows, questions, strict=True) if each.query.id == name]
            raise DatasetError(f"{path}: id {name!r} is given {count} times: {', '.join(places)}")


def _nothing_left(rows: list[Row]) -> str:
    if rows:
        return f'all {len(rows)} questions are drafts; take out "draft": true where one has been looked at'
    return "holds no questions; write one JSON object a line"


def _notes(rows: list[Row], kept: int) -> tuple[str, ...]:
    drafts = len(rows) - kept
    unknown = sorted({name for row in rows for name in row.values} - set(_FIELDS))
    return (
        *((f"{drafts} questions are drafts and are left out.",) if drafts else ()),
        *((f"Fields that mean nothing here are passed over: {', '.join(unknown)}.",) if unknown else ()),
    )
