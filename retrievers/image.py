"""The image lane: pages as a model sees them, with their text, compared with the question."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from ragvl.errors import IndexDamagedError
from ragvl.indexers.store.bags import BagVectors
from ragvl.indexers.store.lanes import Vectors
from ragvl.indexers.store.reader import IndexReader, Snapshot
from ragvl.protocols import (
    Filter,
    FloatArray,
    PageEncoder,
    PageVectors,
    QueryVectors,
    ScoredPage,
    VectorSource,
)
from ragvl.retrievers.dense import allowed_rows
from ragvl.retrievers.filters import allowed_documents
from ragvl.types import Hit, Match, Page, Region


class ImageLane:
    """
    Ranks pages by late interaction, or by their one vector where the encoder makes one.

    A page's score, between -1 and 1, is the mean over the query's vectors of the largest cosine with any of the page's.
    """

    name = "image"

    def __init__(self, reader: IndexReader, encoder: PageEncoder) -> None:
        self._reader = reader
        self._encoder = encoder
        self._guard = threading.Lock()
        self._last: tuple[str, QueryVectors] | None = None

    def search(self, query: str, k: int, where: Filter) -> list[ScoredPage]:
        """Find at most k pages, best first, ties by page id."""
        vectors = self.query_vectors(query).vectors
        with self._reader.snapshot() as snapshot:
            view = snapshot.pages_seen
            documents = allowed_documents(snapshot, where)
        if isinstance(view, BagVectors):
            allowed = allowed_rows(view.alive, view.table.owners[:, 1], documents)
            return [ScoredPage(found.page_id, found.mean) for found in view.table.search(vectors, k, allowed)]
        return _nearest(view, vectors[0], k, documents) if isinstance(view, Vectors) else []

    def with_matches(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits, each with the places where the query meets its page."""
        with self._reader.snapshot() as snapshot:
            return [replace(hit, matches=self._matches(snapshot, query, hit.page)) for hit in hits]

    def query_vectors(self, query: str) -> QueryVectors:
        """Encode a query; the last one is remembered."""
        with self._guard:
            if self._last is None or self._last[0] != query:
                self._last = query, self._encoder.encode_queries([query])[0]
            return self._last[1]

    def page_vectors(self, page: Page) -> PageVectors | None:
        """A page's vectors with their places; None where there are none, one for all of it, or damaged ones."""
        with self._reader.snapshot() as snapshot:
            return self._page_vectors(snapshot, page)

    def _page_vectors(self, snapshot: Snapshot, page: Page) -> PageVectors | None:
        view = snapshot.pages_seen
        if not isinstance(view, BagVectors):
            return None
        # Damage is told by the table; a page may also have gone between the search and now.
        with suppress(KeyError, IndexDamagedError):
            return view.table.page(page.id, page.width_pt, page.height_pt)
        return None

    def _matches(self, snapshot: Snapshot, query: str, page: Page) -> tuple[Match, ...]:
        bag = self._page_vectors(snapshot, page)
        if bag is None:
            return ()
        vectors = self.query_vectors(query)
        cosines = vectors.vectors @ bag.vectors.T
        best = cosines.argmax(axis=1)
        return tuple(
            Match(start, end, _region(page, bag, place), round(float(row[place]), 6), _source(bag, place))
            for (start, end), row, place in zip(vectors.spans, cosines, best.tolist(), strict=True)
            if end > start
        )


def _nearest(view: Vectors, vector: FloatArray, k: int, documents: frozenset[int] | None) -> list[ScoredPage]:
    owners = view.table.owners
    scores, rows = view.table.search(vector, k, allowed_rows(view.alive, owners[:, 2], documents))
    order = np.lexsort((owners[rows, 0], -scores))
    return [ScoredPage(int(owners[rows[place], 0]), float(scores[place])) for place in order]


def _region(page: Page, bag: PageVectors, place: int) -> Region:
    x0, y0, x1, y1 = (round(float(side), 2) for side in bag.boxes_pt[place])
    return Region(page.number, (x0, y0, x1, y1))


def _source(bag: PageVectors, place: int) -> str:
    return VectorSource(int(bag.sources[place])).name.lower()
