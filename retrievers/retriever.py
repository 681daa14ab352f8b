"""From a question to pages: lanes, fusion, the judgement of a page by its document, and a second look."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ragvl.config import RetrievalConfig
from ragvl.indexers.passages import embedding_text
from ragvl.indexers.store.reader import IndexReader, Snapshot
from ragvl.protocols import Filter, Lane, Reranker, ScoredPage, TextEncoder
from ragvl.retrievers.dense import TextLane
from ragvl.retrievers.evidence import Evidence, gather
from ragvl.retrievers.fusion import LaneResult
from ragvl.retrievers.lexical import LexicalLane
from ragvl.retrievers.ranking import (
    IMAGE,
    LEXICAL,
    TEXT,
    lane_weights,
    other_language_weight,
    rank_pages,
    score_pages,
)
from ragvl.retrievers.reranking.candidates import Candidate, rerank
from ragvl.types import Hit, LaneRank, Page, Passage

if TYPE_CHECKING:
    from PIL.Image import Image

RERANK = "rerank"

# What two things that share nothing score in each lane. Without a word in common, BM25 is 0. Two unrelated texts have a
# cosine of about 0.5 in the embedded encoder's space. The image lane takes for each vector of the query the best of a
# page's many, or compares one vector with one: a mean of such bests is hardly ever below 0, whatever the encoder.
_MINIMUM = {LEXICAL: 0.0, TEXT: 0.5, IMAGE: 0.0}


class Retriever:
    """Searches one index; every search sees one committed generation of it."""

    def __init__(
        self,
        reader: IndexReader,
        encoder: TextEncoder,
        config: RetrievalConfig,
        image: Lane | None = None,
        reranker: Reranker | None = None,
        draw: Callable[[Page], bytes | None] | None = None,
    ) -> None:
        """
        Bring together what a search needs.

        Args:
            image: the image lane, of an index that has one.
            reranker: looks at the best pages again, as `config.rerank` says.
            draw: a page as the bytes of an image, for a reranker that sees; None for one that cannot be drawn.
        """
        self._reader = reader
        self._config = config
        self._lanes: dict[str, Lane] = {LEXICAL: LexicalLane(reader), TEXT: TextLane(reader, encoder)}
        if image is not None:
            self._lanes[IMAGE] = image
        self._reranker = reranker
        self._draw = draw

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
            evidence = self.evidence(query, k, where)
            scores = score_pages(evidence, self._config)
            ranked = rank_pages(evidence, scores)
            second = self._second_look(snapshot, query, evidence, ranked) if self._reranker else {}
            if second:
                # The scores stay on the scale of the fusion, and are given out in the new order.
                dealt = dict(zip(second, [scores[page_id] for page_id in ranked], strict=False))
                ranked = [*second, *ranked[len(second) :]]
                scores |= dealt
            pages = snapshot.pages(ranked[:k])
            return [
                self._hit(snapshot, pages[page_id], scores[page_id], evidence, second)
                for page_id in ranked[:k]
            ]

    def evidence(self, query: str, k: int, where: Filter) -> Evidence:
        """Ask every lane that has a weight, for k pages or the configured number of candidates if that is more."""
        candidates = max(self._config.candidates, k)
        weights = lane_weights(self._config)
        with self._reader.snapshot() as snapshot:
            results = [
                LaneResult(name, _MINIMUM[name], lane.search(query, candidates, where))
                for name, lane in self._lanes.items()
                if weights[name] > 0
            ]
            gated = weights[LEXICAL] > 0 and other_language_weight(self._config, self._lanes) < 1
            return gather(snapshot, query, results, gated=gated)

    def _second_look(
        self, snapshot: Snapshot, query: str, evidence: Evidence, ranked: Sequence[int]
    ) -> dict[int, LaneRank]:
        """Where the reranker puts the best pages, in its order; empty when it did not finish."""
        config = self._config.rerank
        pages = snapshot.pages(ranked[: config.candidates])
        candidates = [
            self._candidate(snapshot, pages[page_id], _votes(evidence, page_id))
            for page_id in ranked[: config.candidates]
        ]
        found = rerank(self._reranker, config, query, candidates) if self._reranker else None
        return {
            page_id: LaneRank(RERANK, rank, score)
            for rank, (page_id, score) in enumerate(found or (), start=1)
        }

    def _candidate(self, snapshot: Snapshot, page: Page, votes: Mapping[int, float]) -> Candidate:
        place = f"{page.document.title or PurePosixPath(page.document.path).stem}, page {page.number}"
        passages = self._best(snapshot, page, votes, self._config.rerank.passages)
        texts = [f"{place}\n{embedding_text(passage.heading, passage.text)}" for passage in passages]
        return Candidate(
            page.id, tuple(texts) or (place,), f"{place}\n{page.text}".strip(), lambda: self._image(page)
        )

    def _image(self, page: Page) -> Image | None:
        drawn = self._draw(page) if self._draw else None
        if drawn is None:
            return None
        from PIL import Image

        with Image.open(io.BytesIO(drawn)) as image:
            return image.convert("RGB")

    def _hit(
        self,
        snapshot: Snapshot,
        page: Page,
        score: float,
        evidence: Evidence,
        second: Mapping[int, LaneRank],
    ) -> Hit:
        lanes = [LaneRank(lane.name, rank, found.score) for lane, rank, found in _findings(evidence, page.id)]
        if page.id in second:
            lanes.append(second[page.id])
        best = self._best(snapshot, page, _votes(evidence, page.id), self._config.passages_per_hit)
        return Hit(page, score, tuple(lanes), best)

    def _best(
        self, snapshot: Snapshot, page: Page, votes: Mapping[int, float], most: int
    ) -> tuple[Passage, ...]:
        ids = snapshot.passage_ids(page.id)
        ranked = sorted(ids, key=lambda passage_id: (-votes.get(passage_id, 0.0), passage_id))[:most]
        return tuple(sorted(snapshot.passages(page, ranked), key=lambda passage: ranked.index(passage.id)))


def _findings(evidence: Evidence, page_id: int) -> list[tuple[LaneResult, int, ScoredPage]]:
    """The lanes that found a page, and where."""
    return [
        (lane, rank, found)
        for lane in evidence.lanes
        for rank, found in enumerate(lane.pages, start=1)
        if found.page_id == page_id
    ]


def _votes(evidence: Evidence, page_id: int) -> dict[int, float]:
    """How much the lanes are for each passage of a page."""
    votes: dict[int, float] = {}
    for _, _, found in _findings(evidence, page_id):
        for rank, passage_id in enumerate(found.passage_ids):
            votes[passage_id] = votes.get(passage_id, 0.0) + 1 / (rank + 2)
    return votes
