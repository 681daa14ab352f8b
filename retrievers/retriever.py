"""From a question to pages: lanes, fusion, and the judgement of a page by its document."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ragvl.config import RetrievalConfig
from ragvl.indexers.analysis import query_terms
from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import IndexReader, Snapshot
from ragvl.protocols import Filter, ScoredPage, TextEncoder
from ragvl.retrievers.dense import TextLane
from ragvl.retrievers.fusion import LaneResult, combine, document_means
from ragvl.retrievers.lexical import LexicalLane, match_any, shares_of_best
from ragvl.retrievers.page_references import referred_pages
from ragvl.types import Hit, LaneRank, Page, Passage

# Two unrelated texts have a cosine of about this in the embedded encoder's space; below it nothing is shared.
_UNRELATED_COSINE = 0.5
_DOCUMENT_PAGES = 3
_NAMED_BONUS = 0.3  # for a page that the question names by number, in one of the best documents
_NAMED_DOCUMENTS = 3


class Retriever:
    """Searches one index; every search sees one committed generation of it."""

    def __init__(self, reader: IndexReader, encoder: TextEncoder, config: RetrievalConfig) -> None:
        self._reader = reader
        self._config = config
        self._lexical = LexicalLane(reader)
        self._text = TextLane(reader, encoder)

    def search(self, query: str, k: int, where: Filter) -> list[Hit]:
        """
        Find pages.

        Args:
            query: a question or words.
            k: how many pages at most.
            where: documents that may be found.

        Returns:
            Best first; ties by path and page number, so that equal content gives equal lists.
        """
        with self._reader.snapshot() as snapshot:
            results = self._lanes(query, max(self._config.candidates, k), where)
            scores = self._scores(snapshot, query, results)
            ranked = _ranked(snapshot, scores)[:k]
            pages = snapshot.pages(ranked)
            return [self._hit(snapshot, pages[page_id], scores[page_id], results) for page_id in ranked]

    def _lanes(self, query: str, candidates: int, where: Filter) -> list[LaneResult]:
        config = self._config
        return [
            LaneResult("lexical", config.lexical_weight, 0.0, self._lexical.search(query, candidates, where)),
            LaneResult(
                "text", config.text_weight, _UNRELATED_COSINE, self._text.search(query, candidates, where)
            ),
        ]

    def _scores(self, snapshot: Snapshot, query: str, results: Sequence[LaneResult]) -> dict[int, float]:
        """
        Fuse the lanes, then add what speaks for a page's document.

        A page of an annual report rarely names its company: the document as a whole, by its words and by its best
        pages, tells which of two alike pages is meant.
        """
        scores = combine(results)
        weight = self._config.document_weight
        if not scores:
            return scores
        document_of = _documents_of(snapshot, scores)
        candidates = set(document_of.values())
        by_words = shares_of_best(_document_scores(snapshot, query, candidates))
        by_pages = document_means(scores, document_of, _DOCUMENT_PAGES)
        judged = {
            document: weight * (by_words.get(document, 0.0) + by_pages[document]) for document in candidates
        }
        scores = {page_id: score + judged[document_of[page_id]] for page_id, score in scores.items()}
        for page_id, document in _named_pages(snapshot, query, judged).items():
            scores[page_id] = scores.get(page_id, judged[document]) + _NAMED_BONUS
        return scores

    def _hit(self, snapshot: Snapshot, page: Page, score: float, results: Sequence[LaneResult]) -> Hit:
        lanes, votes = [], dict[int, float]()
        for result in results:
            for rank, found in enumerate(result.pages, start=1):
                if found.page_id == page.id:
                    lanes.append(LaneRank(result.name, rank, found.score))
                    _vote(votes, found)
        return Hit(page, score, tuple(lanes), self._best(snapshot, page, votes))

    def _best(self, snapshot: Snapshot, page: Page, votes: Mapping[int, float]) -> tuple[Passage, ...]:
        ids = snapshot.passage_ids(page.id)
        ranked = sorted(ids, key=lambda passage_id: (-votes.get(passage_id, 0.0), passage_id))
        ranked = ranked[: self._config.passages_per_hit]
        return tuple(sorted(snapshot.passages(page, ranked), key=lambda passage: ranked.index(passage.id)))


def _ranked(snapshot: Snapshot, scores: Mapping[int, float]) -> list[int]:
    """Page ids, best score first; ties by the document's path, then the page number."""
    if not scores:
        return []
    ids = ",".join(map(str, scores))
    rows = fetch(
        snapshot.connection,
        "SELECT p.id, (SELECT min(path) FROM files WHERE document_id = p.document_id), p.number "
        f"FROM pages p WHERE p.id IN ({ids})",
    )
    place = {page_id: (path, number) for page_id, path, number in rows}
    # Rounded: the order in which equal terms were added must not decide.
    return sorted(scores, key=lambda page_id: (-round(scores[page_id], 9), place[page_id]))


def _vote(votes: dict[int, float], found: ScoredPage) -> None:
    for rank, passage_id in enumerate(found.passage_ids):
        votes[passage_id] = votes.get(passage_id, 0.0) + 1 / (rank + 2)


def _documents_of(snapshot: Snapshot, page_ids: Mapping[int, float]) -> dict[int, int]:
    ids = ",".join(map(str, page_ids))
    return dict(fetch(snapshot.connection, f"SELECT id, document_id FROM pages WHERE id IN ({ids})"))


def _named_pages(snapshot: Snapshot, query: str, judged: Mapping[int, float]) -> dict[int, int]:
    """Pages that the question names by number in the best documents, with their documents."""
    numbers = ",".join(map(str, sorted(referred_pages(query))))
    if not numbers:
        return {}
    best = sorted(judged, key=lambda document: (-judged[document], document))[:_NAMED_DOCUMENTS]
    documents = ",".join(map(str, best))
    sql = f"SELECT id, document_id FROM pages WHERE number IN ({numbers}) AND document_id IN ({documents})"
    return dict(fetch(snapshot.connection, sql))


def _document_scores(snapshot: Snapshot, query: str, candidates: Collection[int]) -> dict[int, float]:
    match = match_any(query_terms(query))
    if not match:
        return {}
    sql = "SELECT rowid, -bm25(document_terms) FROM document_terms WHERE document_terms MATCH ?"
    return {row[0]: row[1] for row in fetch(snapshot.connection, sql, (match,)) if row[0] in candidates}
