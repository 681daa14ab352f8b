"""The documents of a folder: which there are, how many pages each has, and what they weigh as data."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragvl.errors import ReadError
from ragvl.evals.types import CorpusPage, EvalDocument
from ragvl.indexers.readers.media import PDF, READERS, media_type_of

if TYPE_CHECKING:
    from ragvl.protocols import OpenDocument

__all__ = ["DocumentFiles", "content_hash", "count_pages", "find_documents", "page_id", "page_size_pt"]

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class DocumentFiles:
    """
    Documents that pages are read from.

    Attributes:
        kinds: document id to media type.
        counts: document id to its number of pages; one that could not be opened is not in it.
        notes: what could not be opened or is of no known kind, and why.
    """

    documents: tuple[EvalDocument, ...]
    kinds: Mapping[str, str]
    counts: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def ids(self) -> frozenset[str]:
        """Every document's id, of those that could not be opened as well."""
        return frozenset(document.id for document in self.documents)

    def pages(self, sizes: Mapping[str, tuple[float, float]] | None = None) -> tuple[CorpusPage, ...]:
        """
        Every page, in the order of the documents.

        Args:
            sizes: page id to width and height in points, of the pages that have boxes.
        """
        return tuple(
            CorpusPage(
                page_id(document, number),
                document,
                number,
                size_pt=(sizes or {}).get(page_id(document, number)),
            )
            for document, count in self.counts.items()
            for number in range(1, count + 1)
        )

    def holds(self, document: str, number: int) -> bool:
        """Whether a page is there; taken to be so in a document that could not be opened."""
        return 1 <= number <= self.counts.get(document, number)


def page_id(document: str, number: int) -> str:
    """Id of a page of a document with a file: "report.pdf#3"."""
    return f"{document}#{number}"


def find_documents(folder: Path) -> DocumentFiles:
    """Find the files below a folder that ragvl reads, by name; their ids are their paths below it."""
    found: list[EvalDocument] = []
    kinds: dict[str, str] = {}
    unknown: list[str] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        try:
            kind = media_type_of(path.resolve())
        except ReadError:  # a link to nothing, or a file that may not be read
            kind = ""
        if kind in READERS:
            found.append(EvalDocument(name, path))
            kinds[name] = kind
        else:
            unknown.append(name)
    counts, notes = _count_all(found, kinds)
    if unknown:
        shown = ", ".join(unknown[:_SHOWN]) + (", …" if len(unknown) > _SHOWN else "")
        notes.append(f"{len(unknown)} files that ragvl cannot read are left out: {shown}.")
    return DocumentFiles(tuple(found), kinds, counts, tuple(notes))


def count_pages(path: Path, media_type: str) -> int:
    """
    Number of pages, as the readers that index the document count them.

    Raises:
        ReadError: the document cannot be opened.
    """
    if media_type == PDF:
        with suppress(_pdfium().PdfiumError), _pdfium().PdfDocument(path) as document:
            return len(document)
    # The readers that index documents repair more, know more kinds, and say what is wrong.
    with _opened(path, media_type) as (count, _):
        return count


def page_size_pt(path: Path, media_type: str, number: int) -> tuple[float, float]:
    """
    Width and height in points of a page, as displayed.

    Raises:
        ReadError: the document or the page cannot be read.
    """
    if media_type == PDF:
        with suppress(_pdfium().PdfiumError), _pdfium().PdfDocument(path) as document:
            width, height = document[number - 1].get_size()
            return float(width), float(height)
    with _opened(path, media_type) as (_, document):
        page = document.read_page(number)
        return page.width_pt, page.height_pt


def content_hash(files: Iterable[tuple[str, Path]]) -> str:
    """
    Hash the names and contents of files, in the order of the names: "sha256:…".

    Raises:
        OSError: a file cannot be read.
    """
    whole = hashlib.sha256()
    for name, path in sorted(files):
        with path.open("rb") as file:
            part = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{part}  {name}\n".encode(errors="surrogateescape"))
    return f"sha256:{whole.hexdigest()}"


def _pdfium() -> Any:
    import pypdfium2

    return pypdfium2


@contextmanager
def _opened(path: Path, media_type: str) -> Iterator[tuple[int, OpenDocument]]:
    from ragvl.config import ReadingConfig
    from ragvl.indexers.reading import Shelf, open_document

    config = ReadingConfig()
    shelf = Shelf(config)
    with tempfile.TemporaryDirectory() as scratch:
        opened = open_document(path, media_type, None, config, Path(scratch))
        try:
            yield opened.page_count, shelf.take(opened.source)
        finally:
            shelf.clear()


def _count_all(documents: list[EvalDocument], kinds: Mapping[str, str]) -> tuple[dict[str, int], list[str]]:
    counts, notes = {}, []
    for document in documents:
        try:
            counts[document.id] = count_pages(document.path.resolve(), kinds[document.id])
        except ReadError as error:
            notes.append(f"{document.id} could not be opened ({error}): its pages can only be missed.")
    return counts, notes
