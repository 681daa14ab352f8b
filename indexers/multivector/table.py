"""The pages of one generation, searched tier by tier."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragvl.config import TierConfig
from ragvl.errors import IndexDamagedError
from ragvl.indexers.multivector.blocks import BLOCK_PAGES, slices
from ragvl.indexers.multivector.kernels import bytewise
from ragvl.indexers.multivector.kernels.choice import Kernels, fastest_kernels, ready_kernels
from ragvl.indexers.multivector.query import QueryCodes
from ragvl.indexers.multivector.ranking import best
from ragvl.indexers.multivector.segment import MultiVectorSegment, Tier
from ragvl.indexers.multivector.tasks import Threads
from ragvl.protocols import FloatArray, PageVectors

logger = logging.getLogger(__name__)

_SCANNED_AT_ONCE = 512 * BLOCK_PAGES  # pages
_WEIGHED_AT_ONCE = 4096  # pages
_FINEST, _MOST_FINEST = (
    32,
    256,
)  # pages that are compared with ten bits a number at the end, and when many are equal
_LEFT_BY_SCAN = 10  # one page in so many, but at least so many times what is wanted in the end:
_WEIGHED = 4
_LEFT_BY_COARSE = 200  # one page in so many, where that is more than the configured candidates
_READ_AT_ONCE: dict[Tier, int] = {"fine": 128, "tokens": 16}  # pages: about a megabyte
_FEW_PAGES = 4096  # loading the compiled kernels would take longer than one search without them

Rows = NDArray[np.int64]  # of the table: pages of all segments, in their order
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PageScore:
    """
    A page that was found.

    Attributes:
        score: the sum over query vectors of the largest cosine.
        mean: the same, for each query vector: between -1 and 1, whatever the query's length.
    """

    page_id: int
    score: float
    mean: float


class _SegmentLostError(Exception):
    """A record of a segment could not be read."""

    def __init__(self, number: int, reason: IndexDamagedError) -> None:
        super().__init__(number, reason)
        self.number = number
        self.reason = reason


class MultiVectorTable:
    """
    All pages of one generation; immutable but for segments that turn out to be damaged. Safe to use from several threads.

    Attributes:
        owners: (n, 2) int64, page id and document id, a row a page.
    """

    def __init__(
        self,
        segments: Sequence[MultiVectorSegment],
        tiers: TierConfig,
        threads: int = 0,
        kernels: Kernels | None = None,
    ) -> None:
        """
        Gather segments.

        Args:
            segments: of one dimension and number of coarse vectors; their page ids must be unique.
            tiers: how many candidates each tier leaves.
            threads: 0 is one a core.
            kernels: None takes the fastest that are worth loading.
        """
        self.segments = tuple(segments)
        self._tiers = tiers
        self._threads = Threads(threads)
        self._kernels = kernels
        self._searched = False
        self._damaged: dict[int, str] = {}
        self._starts = np.cumsum([0, *(len(segment) for segment in segments)])
        self.owners = np.concatenate(
            [np.empty((0, 2), dtype=np.int64), *(segment.foot.owners for segment in segments)]
        )

    def __len__(self) -> int:
        return len(self.owners)

    @property
    def damaged(self) -> tuple[str, ...]:
        """What is wrong with segments whose pages are not found any more, a message each."""
        return tuple(reason for _, reason in sorted(self._damaged.items()))

    def search(self, query: FloatArray, k: int, allowed: Mask | None = None) -> list[PageScore]:
        """
        Find the pages most like a query.

        Every page is compared by its coarse vectors, and the best tenth of them again with the query's bits weighed; the best
        `coarse_candidates`, or one in 200 if that is more, by their fine vectors; the best `fine_candidates` by their tokens, and the best
        32 of these with ten bits a number. Few pages skip the tiers that would leave them all. A segment with a damaged record
        is left out from then on, and the search repeated.

        Args:
            query: (m, dimension) float32, unit length along the last axis.
            k: how many at most.
            allowed: (n,) which rows may be found; None allows all.

        Returns:
            Best first, ties by page id.

        Raises:
            ValueError: the query has no vectors, or of another length than the pages'.
        """
        if not self.segments:
            return []
        foot = self.segments[0].foot
        codes = QueryCodes.of(query, foot.coarse_shape[1])
        if codes.codes.shape[1] != foot.dimension:
            raise ValueError(
                f"the query's vectors have {codes.codes.shape[1]} numbers, the pages' {foot.dimension}"
            )
        while True:
            try:
                return self._search(codes, k, self._findable(allowed))
            except _SegmentLostError as lost:
                self._leave_out(lost)

    def page(self, page_id: int, width_pt: float, height_pt: float) -> PageVectors:
        """
        Read a page's vectors with their places, to show what matched.

        Raises:
            KeyError: the table has no such page.
            IndexDamagedError: its record is damaged.
        """
        rows = np.flatnonzero(self.owners[:, 0] == page_id)
        if not len(rows):
            raise KeyError(page_id)
        number = int(np.searchsorted(self._starts, rows[0], side="right")) - 1
        try:
            page = self.segments[number].page(int(rows[0] - self._starts[number]))
        except IndexDamagedError as error:
            self._leave_out(_SegmentLostError(number, error))
            raise
        return page.codes.decode(width_pt, height_pt)

    def _search(self, query: QueryCodes, k: int, findable: Mask | None) -> list[PageScore]:
        rows = np.arange(len(self)) if findable is None else np.flatnonzero(findable)
        kernels = self._choose_kernels(len(rows))
        last = max(k, self._tiers.fine_candidates)
        if len(rows) > (most := max(last, self._tiers.coarse_candidates, len(rows) // _LEFT_BY_COARSE)):
            rows = self._scan(kernels, query, rows, max(_WEIGHED * most, len(rows) // _LEFT_BY_SCAN))
            rows = self._weigh(kernels, query, rows, most)
        if len(rows) > last:
            rows = self._best(self._compare(kernels, query, rows, "fine"), rows, last)
        scores = self._compare(kernels, query, rows, "tokens")
        rows, scores = self._refine(query, *self._ranked(scores, rows, max(k, _MOST_FINEST)), k)
        vectors = len(query.scales)
        page_ids = self.owners[rows, 0].tolist()
        return [
            PageScore(page_id, score, score / vectors)
            for page_id, score in zip(page_ids, scores.tolist(), strict=True)
        ]

    def _scan(self, kernels: Kernels, query: QueryCodes, rows: Rows, most: int) -> Rows:
        if len(rows) <= most:
            return rows
        scores = np.empty(len(self), dtype=np.int32)

        def scan(piece: tuple[int, slice]) -> None:
            number, pages = piece
            segment, first = self.segments[number].foot, self._starts[number]
            size = math.prod(segment.coarse_shape)
            blocks = segment.blocks[pages.start * size : pages.stop * size]
            found = scores[first + pages.start : first + pages.stop]
            kernels.scan(query.bits, blocks, segment.coarse_shape[0], found)

        self._threads.map(
            scan,
            [
                (number, pages)
                for number, segment in enumerate(self.segments)
                for pages in slices(len(segment), _SCANNED_AT_ONCE)
            ],
        )
        return self._best(scores[rows], rows, most)

    def _weigh(self, kernels: Kernels, query: QueryCodes, rows: Rows, most: int) -> Rows:
        scores = np.empty(len(rows), dtype=np.int32)

        def weigh(piece: tuple[int, slice]) -> None:
            number, places = piece
            segment = self.segments[number].foot
            kernels.weigh(
                query.bits,
                query.weights,
                query.shares,
                segment.blocks,
                segment.coarse_shape[0],
                rows[places] - self._starts[number],
                scores[places],
            )

        self._threads.map(weigh, self._pieces(rows, _WEIGHED_AT_ONCE))
        return self._best(scores, rows, most)

    def _compare(self, kernels: Kernels, query: QueryCodes, rows: Rows, tier: Tier) -> NDArray[np.float32]:
        """Score pages by one tier; `rows` must be in ascending order."""
        scores = np.empty(len(rows), dtype=np.float32)

        def compare(piece: tuple[int, slice]) -> None:
            number, places = piece
            try:
                bags = self.segments[number].bags(rows[places] - self._starts[number], tier)
            except IndexDamagedError as error:
                raise _SegmentLostError(number, error) from error
            kernels.maxsim(query.codes, query.scales, bags.codes, bags.scales, bags.ends, scores[places])

        self._threads.map(compare, self._pieces(rows, _READ_AT_ONCE[tier]))
        return scores

    def _refine(
        self, query: QueryCodes, rows: Rows, scores: NDArray[np.float32], k: int
    ) -> tuple[Rows, NDArray[np.float32]]:
        """Score the first of the ranked rows with ten bits a number; those behind them stay behind."""

        def score(row: int) -> np.float32:
            number = int(np.searchsorted(self._starts, row, side="right")) - 1
            try:
                tokens, rest = self.segments[number].finest(row - int(self._starts[number]))
            except IndexDamagedError as error:
                raise _SegmentLostError(number, error) from error
            scales = tokens.scales.astype(np.float32)
            return bytewise.finest(query.codes, query.scales, tokens.codes, rest, scales)

        if not len(rows):
            return rows, scores
        # With those that tie with the last of them: which of equal pages came first must not decide.
        last = scores[min(_FINEST, len(scores)) - 1]
        count = min(int((scores >= last).sum()), _MOST_FINEST)
        first = rows[:count]
        found = np.array(self._threads.map(score, first.tolist()), dtype=np.float32)
        order = best(found, self.owners[first, 0], len(first))
        behind = np.minimum(scores[count:], found.min())
        return np.concatenate([first[order], rows[count:]])[:k], np.concatenate([found[order], behind])[:k]

    def _pieces(self, rows: Rows, most: int) -> list[tuple[int, slice]]:
        """Cut ascending rows into runs of at most `most` of one segment: (segment, slice of `rows`)."""
        bounds = np.searchsorted(rows, self._starts).tolist()
        return [
            (number, slice(start, min(start + most, bounds[number + 1])))
            for number in range(len(self.segments))
            for start in range(bounds[number], bounds[number + 1], most)
        ]

    def _best(self, scores: NDArray[np.int32] | NDArray[np.float32], rows: Rows, k: int) -> Rows:
        """The best rows, in ascending order."""
        return rows[np.sort(best(scores, self.owners[rows, 0], k))]

    def _ranked(self, scores: NDArray[np.float32], rows: Rows, k: int) -> tuple[Rows, NDArray[np.float32]]:
        """The best rows and their scores, best first."""
        places = best(scores, self.owners[rows, 0], k)
        return rows[places], scores[places]

    def _findable(self, allowed: Mask | None) -> Mask | None:
        lost = list(self._damaged)
        if not lost:
            return allowed
        mask = np.ones(len(self), dtype=bool) if allowed is None else allowed.copy()
        for number in lost:
            mask[self._starts[number] : self._starts[number + 1]] = False
        return mask

    def _leave_out(self, lost: _SegmentLostError) -> None:
        if lost.number not in self._damaged:
            logger.warning("%s", lost.reason)
        self._damaged[lost.number] = str(lost.reason)

    def _choose_kernels(self, pages: int) -> Kernels:
        if self._kernels is not None:
            return self._kernels
        first, self._searched = not self._searched, True
        return ready_kernels() if first and pages <= _FEW_PAGES else fastest_kernels()
