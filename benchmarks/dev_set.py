"""The documents and questions that are measured on, in the layout of MMLongBench-Doc; see README.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Question", "has_text_layer", "page_counts", "read_answers", "read_questions", "warm_up_questions"]

_MIN_CHARACTERS = 50
_MIN_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Question:
    """
    A question and where its answer stands.

    Attributes:
        document: file name.
        pages: evidence pages, from 1.
        sources: kinds of evidence, such as "Table".
    """

    text: str
    document: str
    pages: frozenset[int]
    sources: tuple[str, ...]


def read_questions(data: Path) -> list[Question]:
    """Read the questions that the documents answer, on pages that they have."""
    counts = page_counts(data)
    questions = []
    for row in _rows(data):
        # Page 0 and pages beyond the end are mistakes in the data.
        pages = frozenset(
            page for page in row["evidence_pages"] if 1 <= page <= counts.get(row["document"], 0)
        )
        if pages and row["answer_format"] not in (None, "None"):
            sources = tuple(sorted(_source(name) for name in row["evidence_sources"]))
            questions.append(Question(row["question"], row["document"], pages, sources))
    return questions


def warm_up_questions(data: Path) -> list[str]:
    """The questions that the documents do not answer: they warm caches without asking the others beforehand."""
    return [row["question"] for row in _rows(data) if row["answer_format"] in (None, "None")]


def read_answers(data: Path) -> list[dict[str, Any]]:
    """The rows of the questions that have an answer and evidence pages, as they are."""
    unanswered = (None, "None")
    return [row for row in _rows(data) if row["answer_format"] not in unanswered and row["evidence_pages"]]


def page_counts(data: Path) -> Mapping[str, int]:
    """Pages by file name."""
    import pypdfium2

    counts = {}
    for path in sorted((data / "pdf").glob("*.pdf")):
        with pypdfium2.PdfDocument(path) as document:
            counts[path.name] = len(document)
    return counts


def has_text_layer(path: Path) -> bool:
    """Whether at least 95 % of a PDF file's pages have more than 50 characters of text of their own."""
    import pypdfium2

    with pypdfium2.PdfDocument(path) as document:
        readable = 0
        for page in document:
            characters = page.get_textpage().get_text_range()
            readable += len(characters.strip()) > _MIN_CHARACTERS
        return readable >= _MIN_SHARE * len(document)


def _rows(data: Path) -> list[dict[str, Any]]:
    lines = (data / "questions.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def _source(name: str) -> str:
    """The short name of a kind of evidence: "Generalized-text (Layout)" is "Layout"."""
    head, _, inside = name.partition(" (")
    return inside.rstrip(")") if head.startswith("Generalized") else head
