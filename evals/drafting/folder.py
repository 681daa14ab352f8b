"""
The folder of somebody's own questions: `documents/` and `questions.jsonl`.

    {"id": "report-p5-1", "question": "What was the operating profit in 2025?", "answer": "2,420",
     "document": "report.pdf", "pages": [5], "answer_format": "Int", "groups": {"evidence": "table"},
     "boxes": [{"page": 5, "box": [72.0, 310.2, 540.0, 322.4]}], "quote": "Operating profit 2,420 1,330",
     "excerpt": "…", "draft": true}

A draft loses `excerpt` and `draft` when a person accepts it. What else a row holds is kept as it is.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ragvl.errors import RagvlError
from ragvl.evals.drafting.draft import Draft, answer_format, one_line

__all__ = ["QuestionFile", "QuestionFileError", "Row", "check_free", "lay_out", "rows_of"]

Row = dict[str, Any]

_DOCUMENTS, _QUESTIONS = "documents", "questions.jsonl"
_OF_A_DRAFT = ("excerpt", "draft")


class QuestionFileError(RagvlError):
    """A question file, or the folder for one, is not there or not as it should be."""


class QuestionFile:
    """
    The rows of a question file, which are saved whenever one changes.

    Attributes:
        rows: in the order of the file.
    """

    def __init__(self, path: Path, rows: Iterable[Row]) -> None:
        self.path = path
        self.rows = list(rows)

    @classmethod
    def load(cls, folder: Path) -> QuestionFile:
        """
        Read the questions of a folder, or a question file itself.

        Raises:
            QuestionFileError: it is not there, or a line is no JSON object; the message has its number.
        """
        path = folder / _QUESTIONS if folder.is_dir() else folder
        if not path.is_file():
            raise QuestionFileError(f"{path} does not exist: `ragvl eval init FOLDER_OF_DOCUMENTS` makes one")
        rows = []
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line.strip():
                rows.append(_object(path, number, line))
        return cls(path, rows)

    @property
    def documents(self) -> Path:
        """The folder that documents lie in."""
        return self.path.parent / _DOCUMENTS

    def drafts(self) -> list[Row]:
        """Rows that nobody has looked at yet."""
        return [row for row in self.rows if row.get("draft") is True]

    def accept(self, row: Row, question: str | None = None, answer: str | None = None) -> None:
        """Make a draft a question, with other words where they are given, and save."""
        if question is not None:
            row["question"] = question
        if answer is not None and answer != row.get("answer"):
            row["answer"] = answer
            row["answer_format"] = answer_format(answer)
        for name in _OF_A_DRAFT:
            row.pop(name, None)
        self.save()

    def discard(self, row: Row) -> None:
        """Take a row out, and save."""
        self.rows = [other for other in self.rows if other is not row]
        self.save()

    def save(self) -> None:
        """Write the file, so that it is either the old or the new one, never a part."""
        beside = self.path.with_name(self.path.name + ".part")
        with beside.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


def lay_out(folder: Path, documents: Path, drafts: Sequence[Draft]) -> QuestionFile:
    """
    Make a folder of questions: a link to the documents, and a file of drafts.

    Raises:
        QuestionFileError: the folder has a question file or other documents already.
        OSError: it cannot be written.
    """
    questions, link = folder / _QUESTIONS, folder / _DOCUMENTS
    check_free(folder, documents)
    folder.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(os.path.relpath(documents.resolve(), folder.resolve()), target_is_directory=True)
    written = QuestionFile(questions, rows_of(drafts))
    written.save()
    return written


def check_free(folder: Path, documents: Path) -> None:
    """
    Refuse to write over somebody's work.

    Raises:
        QuestionFileError: the folder has a question file or other documents already.
    """
    if (folder / _QUESTIONS).exists():
        raise QuestionFileError(
            f"{folder / _QUESTIONS} exists: go on with `ragvl eval review {folder}`, or name another --out"
        )
    link = folder / _DOCUMENTS
    if (link.exists() or link.is_symlink()) and link.resolve() != documents.resolve():
        raise QuestionFileError(f"{link} exists and is not {documents}: name another --out")


def rows_of(drafts: Sequence[Draft]) -> list[Row]:
    """Write drafts as rows; their ids say where they come from."""
    counted: Counter[str] = Counter()
    rows = []
    for draft in drafts:
        place = f"{_slug(draft.document)}-p{draft.page}" if draft.answerable else "unanswerable"
        counted[place] += 1
        rows.append(_row(draft, f"{place}-{counted[place]}"))
    return rows


def _row(draft: Draft, name: str) -> Row:
    row: Row = {"id": name, "question": draft.question}
    if draft.answerable:
        row |= {"answer": draft.answer, "document": draft.document, "pages": [draft.page]}
    row |= {
        "answerable": draft.answerable,
        "answer_format": answer_format(draft.answer),
        "groups": {"evidence": draft.kind},
    }
    if draft.document.lower().endswith(".pdf"):
        row["boxes"] = [
            {"page": draft.page, "box": [round(side, 1) for side in box]} for box in draft.boxes_pt
        ]
    if draft.answerable:
        row |= {"quote": one_line(draft.quote), "excerpt": draft.excerpt}
    return row | {"draft": True}


def _slug(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", PurePosixPath(path).with_suffix("").as_posix().lower()).strip("-")


def _object(path: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise QuestionFileError(
            f"{path}, line {number}: not JSON ({error.msg} at column {error.colno})"
        ) from None
    if not isinstance(row, dict) or not isinstance(row.get("question"), str):
        raise QuestionFileError(f'{path}, line {number}: write an object with a text "question"')
    return row
