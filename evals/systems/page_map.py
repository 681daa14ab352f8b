"""Which page of a corpus a page of an index is, and the other way round; files are told by their content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ragvl.evals.types import EvalSet

__all__ = ["PageMap", "Place", "map_documents", "map_page_files"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A page of a file: the SHA-256 of its content, and the page's number from 1; 0 for the file as a whole."""

    sha256: str
    number: int


class PageMap:
    """
    Page ids of a corpus and their places in files.

    Several ids may share a place, for a corpus may hold the same page twice while an index holds it once.
    """

    def __init__(self, places: Mapping[str, Place], documents: Mapping[str, str]) -> None:
        """
        Map both ways.

        Args:
            places: page id to place, in the order of the corpus.
            documents: page id to the id of its document.
        """
        self.places = places
        self._documents = documents
        self._ids: dict[Place, list[str]] = defaultdict(list)
        self._of_document: dict[str, list[str]] = defaultdict(list)
        for page, place in places.items():
            self._ids[place].append(page)
            self._of_document[documents[page]].append(page)

    def ids(self, sha256: str, number: int, document: str = "") -> list[str]:
        """
        Page ids of a page of a file, in the order of the corpus; empty when it is not in the corpus.

        Args:
            document: leaves out pages of other documents of the corpus.
        """
        found = self._ids.get(Place(sha256, number)) or self._ids.get(Place(sha256, 0)) or []
        return [page for page in found if not document or self._documents[page] == document]

    def files_of(self, document: str) -> set[str]:
        """SHA-256 of the files that hold a document's pages; empty for one that is not in the corpus."""
        return {self.places[page].sha256 for page in self._of_document.get(document, ())}


def map_documents(corpus: EvalSet, hashes: Mapping[str, str]) -> PageMap:
    """
    Map a corpus whose pages are those of its documents.

    Args:
        hashes: document id to the SHA-256 of its file, of the documents that there are.
    """
    there = [page for page in corpus.pages if page.document in hashes]
    return PageMap(
        {page.id: Place(hashes[page.document], page.number) for page in there},
        {page.id: page.document for page in there},
    )


def map_page_files(corpus: EvalSet, hashes: Mapping[str, str]) -> PageMap:
    """
    Map a corpus of which every page is a file.

    Args:
        hashes: page id to the SHA-256 of its file.
    """
    return PageMap(
        {page.id: Place(hashes[page.id], 0) for page in corpus.pages},
        {page.id: page.document for page in corpus.pages},
    )
