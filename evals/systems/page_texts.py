"""What baselines read of a corpus: the text layer of its files, or the text that the dataset comes with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ragvl.evals.types import EvalSet

__all__ = ["PageText", "page_texts"]


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's text; `page` and `document` are ids of the corpus."""

    page: str
    document: str
    text: str


def page_texts(corpus: EvalSet, read: str = "auto") -> tuple[tuple[PageText, ...], tuple[str, ...]]:
    """
    Read every page of a corpus.

    Args:
        read: "files" for text layers alone, "text" for the dataset's own text alone, "auto" for text layers where
            there are files that have one, and the dataset's text elsewhere.

    Returns:
        Pages that have text, in the order of the corpus, and those that have none, each with the reason.
    """
    layers, problems = ({}, {}) if read == "text" else _text_layers(corpus)
    found, failed = [], []
    for page in corpus.pages:
        text = layers.get((page.document, page.number), "").strip()
        if not text and read != "files":
            text = page.text.strip()
        if text:
            found.append(PageText(page.id, page.document, text))
        else:
            failed.append(f"{page.id}: {problems.get(page.document) or 'no text'}")
    return tuple(found), tuple(failed)


def _text_layers(corpus: EvalSet) -> tuple[Mapping[tuple[str, int], str], Mapping[str, str]]:
    """Text by document and page number; and what is wrong with documents, by id."""
    wanted = {page.document for page in corpus.pages}
    layers: dict[tuple[str, int], str] = {}
    problems: dict[str, str] = {}
    for document in corpus.documents:
        if document.id not in wanted:
            continue
        try:
            layers |= {(document.id, number): text for number, text in _pages(document.path)}
        except (OSError, RuntimeError, ValueError) as error:
            problems[document.id] = f"{document.path.name} cannot be read: {error}"
    return layers, problems


def _pages(path: Path) -> Iterator[tuple[int, str]]:
    """Page numbers, from 1, and the text of each as PyMuPDF gives it."""
    import pymupdf

    with pymupdf.open(path) as document:
        for number, page in enumerate(document, start=1):
            yield number, page.get_text()
