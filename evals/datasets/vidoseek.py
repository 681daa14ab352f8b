"""
ViDoSeek (Wang et al., 2025): questions over one large collection of slides, each with one answer and reference pages.

Its data is a JSON file, {"examples": [{uid, query, reference_answer, meta_info}]}, and an archive of PDF documents,
which has to be unpacked beside it. Reference pages are counted from 1, as the images that its authors make of them.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.files import content_hash, find_documents
from ragvl.evals.datasets.paged import PagedQuestion, judge, require_documents
from ragvl.evals.datasets.rows import FieldError, Row, rows_of, take_all
from ragvl.evals.datasets.source import Repository
from ragvl.evals.types import EvalQuery, EvalSet

__all__ = ["VIDOSEEK", "is_vidoseek", "load_vidoseek"]

_FILES = ("vidoseek.json", "rag_dataset.json")
_GET = "run: hf download autumncc/ViDoSeek --repo-type dataset --local-dir vidoseek, unpack its archive of PDF files there"


def is_vidoseek(folder: Path) -> bool:
    """Whether a folder looks like a copy of the data."""
    return any((folder / name).is_file() for name in _FILES)


def load_vidoseek(folder: Path, *, name: str = "vidoseek") -> EvalSet:
    """
    Load a folder of the JSON file and the PDF documents, which may be in a folder of any name below it.

    Raises:
        DatasetError: something is missing or not of its form.
        OSError: a file cannot be read.
    """
    path = next((folder / each for each in _FILES if (folder / each).is_file()), None)
    if path is None:
        raise DatasetError(f"{folder}: no {' or '.join(_FILES)}; {_GET}")
    homes = Counter(each.parent for each in folder.rglob("*.pdf"))
    if not homes:
        raise DatasetError(f"{folder}: no PDF documents; {_GET}")
    home = homes.most_common(1)[0][0]
    files = find_documents(home)
    questions = take_all(path, _rows(path), _question)
    require_documents(home, (document for each in questions for document, _ in each.pages), files)
    relevance, notes = judge(questions, files)
    named = [(path.name, path), *((f"documents/{each.id}", each.path) for each in files.documents)]
    return EvalSet(
        name=name,
        board="ViDoSeek, all its documents as one corpus",
        revision=content_hash(named),
        main_metric="ndcg@5",
        documents=files.documents,
        pages=files.pages(),
        queries=tuple(each.query for each in questions),
        relevance=relevance,
        answer_rule="anls",
        notes=(*files.notes, *notes),
    )


def _load(known: KnownSet, options: LoadOptions) -> EvalSet:
    if options.folder is None:
        raise DatasetError(f"{known.name} is read from a copy of its data; {_GET}, and name that folder")
    return load_vidoseek(options.folder, name=known.name)


def _rows(path: Path) -> list[Row]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path}: not JSON: {error}") from None
    examples = values.get("examples") if isinstance(values, dict) else values
    if not isinstance(examples, list) or not all(isinstance(each, dict) for each in examples):
        raise DatasetError(f'{path}: must be {{"examples": [...]}}, a list of objects')
    return rows_of(examples, "example")


def _question(row: Row) -> PagedQuestion:
    stated = row.values.get("meta_info")
    if not isinstance(stated, dict):
        raise FieldError("'meta_info' must be an object")
    about = Row(row.place, row.number, stated)
    document = about.text("file_name")
    numbers = [each for each in about.items("reference_page") if isinstance(each, int)]
    if len(numbers) < len(about.items("reference_page")):
        raise FieldError(f"'reference_page' must hold page numbers, not {about.items('reference_page')!r}")
    groups = {"source type": about.texts("source_type"), "query type": about.texts("query_type")}
    query = EvalQuery(
        id=row.text("uid"),
        text=row.text("query"),
        language="en",
        answers=row.texts("reference_answer"),
        answerable=True,
        groups={dimension: values for dimension, values in groups.items() if values},
    )
    return PagedQuestion(query, tuple((document, number) for number in numbers), row.place)


VIDOSEEK = KnownSet(
    name="vidoseek",
    what="slides on many subjects as one corpus: reference pages, short answers",
    size="about 1200 questions, about 6000 pages",
    licence="Apache-2.0",
    repository=Repository("autumncc/ViDoSeek"),
    load=_load,
)
