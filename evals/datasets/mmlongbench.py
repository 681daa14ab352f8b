"""
MMLongBench-Doc (Ma et al., 2024): questions about long PDF documents, with evidence pages and reference answers.

Two forms are read: the public one, rows of `doc_id`, `doc_type` and lists written as texts ("[5]", "['Chart']"), in
`samples.json` or in Parquet files, next to `documents/`; and `questions.jsonl` next to `pdf/`.

A page number of 0, or beyond the document's end, is a mistake in the data: it is no relevant page, and the question is
kept for its answer. Questions that the document does not answer have no relevant pages.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.files import content_hash, find_documents
from ragvl.evals.datasets.paged import PagedQuestion, judge, require_documents
from ragvl.evals.datasets.rows import FieldError, Row, read_rows, rows_of, take_all
from ragvl.evals.datasets.source import Repository, Source, open_source
from ragvl.evals.types import EvalQuery, EvalSet

__all__ = ["MMLONGBENCH", "is_mmlongbench", "load_mmlongbench"]

_QUESTION_FILES = ("questions.jsonl", "samples.json", "data/samples.json")
_PARQUET = "data"
_DOCUMENT_FOLDERS = ("pdf", "documents", "data/documents")
_FORMATS = ("Str", "Int", "Float", "List", "None")
_ALL_DOCUMENTS, _ALL_QUESTIONS = 135, 1082


def is_mmlongbench(folder: Path) -> bool:
    """Whether a folder looks like a copy of the data, in one of its forms."""
    if (folder / "pdf").is_dir() and (folder / "questions.jsonl").is_file():
        return True
    return any((folder / name).is_file() for name in _QUESTION_FILES[1:])


def load_mmlongbench(folder: Path, *, name: str = "", revision: str = "") -> EvalSet:
    """
    Load a folder of documents and questions.

    Args:
        name: of the set; "" for the folder's name.
        revision: commit of the data; "" for a hash of what the folder holds.

    Raises:
        DatasetError: something is missing or not of this form.
        MissingExtraError: the questions are in Parquet files, and `datasets` is not installed.
        OSError: a file cannot be read.
    """
    path, rows = _rows(folder)
    home = next((folder / each for each in _DOCUMENT_FOLDERS if (folder / each).is_dir()), None)
    if home is None:
        raise DatasetError(
            f"{folder}: no folder of documents; expected one of {', '.join(_DOCUMENT_FOLDERS)}"
        )
    files = find_documents(home)
    questions = take_all(path, rows, _question)
    require_documents(home, (each.query.document for each in questions), files)
    relevance, notes = judge(questions, files)
    named = [(f"documents/{each.id}", each.path) for each in files.documents]
    return EvalSet(
        name=name or folder.resolve().name,
        board=(
            f"MMLongBench-Doc, {len(files.documents)} of its {_ALL_DOCUMENTS} documents and {len(questions)} of its "
            f"{_ALL_QUESTIONS} questions"
        ),
        revision=revision or content_hash([*named, *_data_files(path)]),
        main_metric="ndcg@5",
        documents=files.documents,
        pages=files.pages(),
        queries=tuple(each.query for each in questions),
        relevance=relevance,
        answer_rule="mmlongbench",
        notes=(*files.notes, *notes),
    )


def _load(known: KnownSet, options: LoadOptions) -> EvalSet:
    if options.folder is not None:
        return load_mmlongbench(options.folder, name=known.name)
    source = known.open(options)
    return load_mmlongbench(
        source.fetch(["README.md", "data/*", "documents/*"]), name=known.name, revision=source.revision
    )


def _rows(folder: Path) -> tuple[Path, list[Row]]:
    path = next((folder / each for each in _QUESTION_FILES if (folder / each).is_file()), None)
    if path is None:
        if not any((folder / _PARQUET).glob("*.parquet")):
            raise DatasetError(
                f"{folder}: no questions; expected one of {', '.join(_QUESTION_FILES)}, data/*.parquet"
            )
        return folder / _PARQUET, rows_of(_parquet(folder))
    if path.suffix == ".jsonl":
        return path, read_rows(path)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path}: not JSON: {error}") from None
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise DatasetError(f"{path}: must be a list of objects")
    return path, rows_of(values)


def _parquet(folder: Path) -> list[dict[str, object]]:
    source: Source = open_source(Repository(str(folder)), folder=folder)
    return source.table("default").records()


def _data_files(path: Path) -> list[tuple[str, Path]]:
    return [(each.name, each) for each in (sorted(path.glob("*.parquet")) if path.is_dir() else [path])]


def _question(row: Row) -> PagedQuestion:
    answer_format = row.text("answer_format")
    if answer_format not in _FORMATS:
        raise FieldError(f"'answer_format' is {answer_format!r}; known: {', '.join(_FORMATS)}")
    document = row.text("document", "doc_id")
    pages = _listed(row, "evidence_pages")
    numbers = [each for each in pages if isinstance(each, int) and not isinstance(each, bool)]
    if len(numbers) < len(pages):
        raise FieldError(f"'evidence_pages' must hold page numbers, not {pages!r}")
    kind = row.text("document_type", "doc_type", default="")
    sources = tuple(str(each) for each in _listed(row, "evidence_sources"))
    groups = {"document type": (kind,) if kind else (), "evidence source": sources}
    query = EvalQuery(
        id=row.text("id", default=f"q{row.number}"),
        text=row.text("question"),
        document=document,
        language="en",
        answers=row.texts("answer"),
        answer_format=answer_format,
        answerable=answer_format != "None",
        groups={dimension: values for dimension, values in groups.items() if values},
    )
    return PagedQuestion(query, tuple((document, number) for number in numbers), row.place)


def _listed(row: Row, name: str) -> list[object]:
    value = row.values.get(name)
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            raise FieldError(f"{name!r} must be a list, not {value!r}") from None
    if value is None:
        return []
    if not isinstance(value, list):
        raise FieldError(f"{name!r} must be a list, not {value!r}")
    return value


MMLONGBENCH = KnownSet(
    name="mmlongbench_doc",
    what="long PDF documents: evidence pages, short answers, questions without an answer",
    size=f"{_ALL_DOCUMENTS} documents, {_ALL_QUESTIONS} questions",
    licence="CC BY-NC 4.0",
    repository=Repository("yubo2333/MMLongBench-Doc"),
    load=_load,
)
