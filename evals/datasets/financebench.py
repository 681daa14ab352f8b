"""
FinanceBench (Islam et al., 2023), its open part: questions about annual reports, with evidence pages and answers.

Its repository is read as it is: `data/financebench_open_source.jsonl` and `pdfs/`. Evidence pages are counted from 0
there. Reference answers are sentences, which were judged by people; no rule compares them.
"""

from __future__ import annotations

from pathlib import Path

from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.files import content_hash, find_documents
from ragvl.evals.datasets.paged import PagedQuestion, judge, require_documents
from ragvl.evals.datasets.rows import FieldError, Row, read_rows, take_all
from ragvl.evals.datasets.source import Repository
from ragvl.evals.types import EvalQuery, EvalSet

__all__ = ["FINANCEBENCH", "is_financebench", "load_financebench"]

_QUESTIONS = "data/financebench_open_source.jsonl"
_ADDRESS = "https://github.com/patronus-ai/financebench"


def is_financebench(folder: Path) -> bool:
    """Whether a folder looks like a copy of the repository."""
    return (folder / _QUESTIONS).is_file()


def load_financebench(folder: Path) -> EvalSet:
    """
    Load a copy of the repository.

    Raises:
        DatasetError: something is missing or not of its form.
        OSError: a file cannot be read.
    """
    path, home = folder / _QUESTIONS, folder / "pdfs"
    if not path.is_file():
        raise DatasetError(f"{folder}: no {_QUESTIONS}; run: git clone {_ADDRESS} and name that folder")
    files = find_documents(home)
    questions = take_all(path, read_rows(path), _question)
    require_documents(home, (document for each in questions for document, _ in each.pages), files)
    relevance, notes = judge(questions, files)
    named = [(path.name, path), *((f"pdfs/{each.id}", each.path) for each in files.documents)]
    return EvalSet(
        name=FINANCEBENCH.name,
        board=f"FinanceBench, its open questions, {len(files.documents)} reports as one corpus",
        revision=content_hash(named),
        main_metric="ndcg@10",
        documents=files.documents,
        pages=files.pages(),
        queries=tuple(each.query for each in questions),
        relevance=relevance,
        notes=(*files.notes, *notes),
    )


def _load(known: KnownSet, options: LoadOptions) -> EvalSet:
    if options.folder is None:
        raise DatasetError(
            f"{known.name} is read from a copy of its repository; run: git clone {_ADDRESS} and name it"
        )
    return load_financebench(options.folder)


def _question(row: Row) -> PagedQuestion:
    pages = []
    for each in row.items("evidence"):
        number = each.get("evidence_page_num") if isinstance(each, dict) else None
        if not isinstance(each, dict) or not isinstance(number, int):
            raise FieldError("'evidence' must hold objects with the number 'evidence_page_num'")
        name = each.get("doc_name") or each.get("evidence_doc_name") or row.text("doc_name")
        pages.append((f"{name}.pdf", number + 1))
    groups = {
        "question type": row.texts("question_type"),
        "question reasoning": row.texts("question_reasoning"),
        "company": row.texts("company"),
    }
    query = EvalQuery(
        id=row.text("financebench_id"),
        text=row.text("question"),
        document=f"{row.text('doc_name')}.pdf",
        language="en",
        answers=row.texts("answer"),
        answerable=True,
        groups={dimension: values for dimension, values in groups.items() if values},
    )
    return PagedQuestion(query, tuple(pages), row.place)


FINANCEBENCH = KnownSet(
    name="financebench",
    what="annual reports of companies: evidence pages, answers in sentences",
    size="150 questions",
    licence="CC BY-NC 4.0",
    repository=Repository(""),
    load=_load,
    address=_ADDRESS,
)
