"""Everything that an index says to a query, gathered once; `ragvl.retrievers.ranking` judges it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ragvl.indexers.analysis import query_terms
from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import Snapshot
from ragvl.retrievers.fusion import LaneResult
from ragvl.retrievers.gate import pages_in_another_language
from ragvl.retrievers.lexical import match_any, shares_of_best
from ragvl.retrievers.page_references import referred_pages


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where a page stands: its document, the first path of that, its number; and its language, "" when unknown."""

    document: int
    path: bytes
    number: int
    language: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What the lanes found, and what is known about it.

    Attributes:
        lanes: their results, as they came.
        places: of the pages that a lane found, and of those in `named`.
        documents: BM25 of each document that one of them belongs to, as a share of the best.
        named: pages of these documents that the query names by number.
        foreign: pages that are in another language than the query.
    """

    lanes: tuple[LaneResult, ...]
    places: Mapping[int, PagePlace]
    documents: Mapping[int, float]
    named: tuple[int, ...]
    foreign: frozenset[int]


def gather(snapshot: Snapshot, query: str, lanes: Sequence[LaneResult], *, gated: bool) -> Evidence:
    """
    Look up what speaks for the pages that lanes found.

    Args:
        gated: find out which of them are in another language than the query.
    """
    found = {page.page_id for lane in lanes for page in lane.pages}
    places = _places(snapshot, found)
    documents = {place.document for place in places.values()}
    named = _named_pages(snapshot, query, documents)
    foreign = frozenset[int]()
    if gated:
        languages = {page_id: place.language for page_id, place in places.items()}
        foreign = pages_in_another_language(query, languages)
    places |= _places(snapshot, named - found)
    words = shares_of_best(_document_scores(snapshot, query, documents))
    return Evidence(tuple(lanes), places, words, tuple(sorted(named)), foreign)


def _places(snapshot: Snapshot, page_ids: Iterable[int]) -> dict[int, PagePlace]:
    ids = ",".join(map(str, page_ids))
    rows = fetch(
        snapshot.connection,
        "SELECT p.id, p.document_id, (SELECT min(path) FROM files WHERE document_id = p.document_id), p.number, "
        f"p.language FROM pages p WHERE p.id IN ({ids})",
    )
    return {row[0]: PagePlace(*row[1:]) for row in rows}


def _named_pages(snapshot: Snapshot, query: str, documents: Iterable[int]) -> set[int]:
    numbers = ",".join(map(str, sorted(referred_pages(query))))
    if not numbers:
        return set()
    among = ",".join(map(str, documents))
    sql = f"SELECT id FROM pages WHERE number IN ({numbers}) AND document_id IN ({among})"
    return {row[0] for row in fetch(snapshot.connection, sql)}


def _document_scores(snapshot: Snapshot, query: str, documents: Collection[int]) -> dict[int, float]:
    match = match_any(query_terms(query))
    if not match or not documents:
        return {}
    sql = "SELECT rowid, -bm25(document_terms) FROM document_terms WHERE document_terms MATCH ?"
    return {row[0]: row[1] for row in fetch(snapshot.connection, sql, (match,)) if row[0] in documents}
