"""The pages of a corpus as files that can be indexed: one lossless image, or one text, a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ragvl.errors import RagvlError
from ragvl.evals.types import CorpusPage, EvalSet
from ragvl.indexers.store.files import sha256_of

__all__ = ["document_folders", "readable_as", "safe_name", "write_page_files"]

_ODD = re.compile(r"[^A-Za-z0-9_]+")
_LONGEST = 60  # characters of an id that a file name shows


def readable_as(corpus: EvalSet, wanted: str) -> str:
    """
    What the pages of a corpus are read from: "files", "images" or "text".

    Args:
        wanted: one of them, or "auto" for the first that every page has.

    Raises:
        RagvlError: the corpus does not have that of every page.
    """
    known = {document.id for document in corpus.documents}
    there = {
        "files": bool(known) and all(page.document in known for page in corpus.pages),
        "images": bool(corpus.pages) and all(page.image for page in corpus.pages),
        "text": any(page.text.strip() for page in corpus.pages),
    }
    if wanted == "auto":
        found = next((kind for kind, is_there in there.items() if is_there), "")
        if not found:
            raise RagvlError(f"the set {corpus.name!r} has neither files nor images nor text of its pages")
        return found
    if wanted not in there:
        raise RagvlError(f"pages can be read from {', '.join(there)} or auto, not from {wanted!r}")
    if not there[wanted]:
        has = ", ".join(kind for kind, is_there in there.items() if is_there) or "none"
        raise RagvlError(f"the set {corpus.name!r} has no {wanted} of all its pages; it has: {has}")
    return wanted


def safe_name(position: int, given: str) -> str:
    """
    Make a name for a file or folder out of an id.

    Args:
        position: of what it names, from 0; it makes the name unique, whatever the id holds.
    """
    shown = _ODD.sub("-", given).strip("-")[:_LONGEST]
    return f"{position:07d}-{shown}" if shown else f"{position:07d}"


def document_folders(corpus: EvalSet) -> dict[str, str]:
    """Name the folder that the page files of each document lie in, by document id."""
    documents = dict.fromkeys(page.document for page in corpus.pages)
    return {document: safe_name(position, document) for position, document in enumerate(documents)}


def write_page_files(
    corpus: EvalSet, kind: str, folder: Path, told: Callable[[int, int], None] | None = None
) -> dict[str, str]:
    """
    Write each page of a corpus to a file in its document's folder; what is there already is kept.

    Args:
        kind: "images" or "text".
        told: called with the pages done and their total.

    Returns:
        Page id to the SHA-256 of its file.
    """
    suffix, write = (".png", _write_image) if kind == "images" else (".md", _write_text)
    folders = document_folders(corpus)
    hashes = {}
    for position, page in enumerate(corpus.pages):
        path = folder / folders[page.document] / (safe_name(position, page.id) + suffix)
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            write(page, part)
            part.replace(path)
        hashes[page.id] = sha256_of(path)
        if told:
            told(position + 1, len(corpus.pages))
    return hashes


def _write_image(page: CorpusPage, path: Path) -> None:
    if page.image is None:
        raise RagvlError(f"page {page.id!r} has no image")
    page.image().save(path, format="PNG", compress_level=1)


def _write_text(page: CorpusPage, path: Path) -> None:
    path.write_text(page.text, encoding="utf-8", errors="replace")
