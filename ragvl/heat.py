"""
Where on a page the words of a query match: similarities of vectors, turned into places.

What a strength means: it compares places on one page for one word. 1 is the place that matches the word best, however
good or bad that match is; 0 is no more than the page matches in general. Strengths of two words, or of two pages,
cannot be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragvl.protocols import PageVectors, QueryVectors
from ragvl.types import BBox

__all__ = ["HeatCell", "HeatMap", "HeatWord", "heat_map"]

_NOISE_QUANTILE = 0.16  # one standard deviation below the median, were all of it noise
_FLOOR_DEVIATIONS = 2.0
_LEAST_STRENGTH = 0.18
_MOST_CELLS = 160
_TYPICAL = 4.0  # boxes up to so many times the median area tell the place well
_DAMPING = 0.25  # a box 16 times larger than that is half as strong
_WORD = re.compile(r"\w+(?:[-'\u2019.,/]\w+)*")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A place on a page, in points, and its strength, 0 to 1."""

    box_pt: BBox
    strength: float


@dataclass(frozen=True, slots=True)
class HeatWord:
    """
    A word of a query.

    Attributes:
        start, end: its characters in the query.
        cells: where the page matches it, strongest first; none when no place stands out.
    """

    start: int
    end: int
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """
    Where a page matches a query.

    Attributes:
        query: as typed.
        words: in the order of the query.
        whole: where the page matches the query as a whole, strongest first.
    """

    query: str
    words: tuple[HeatWord, ...]
    whole: tuple[HeatCell, ...]


def heat_map(query: str, query_vectors: QueryVectors, page: PageVectors) -> HeatMap:
    """
    Say where a page matches a query, and where it matches each of its words.

    A word takes the best of its tokens at each place. Similarities are measured from a floor, and the best place has
    strength 1. The floor is the median of the vectors of the same source, for text is nearer to a query than images
    are, and two deviations more, as their lower half spreads, which no match disturbs; at most half the way from the
    median to the best. The whole adds up what all tokens have above their floors, also those that stand for no word.
    Boxes much larger than others of their source, such as those of an overview beside its tiles, say less about a
    place and are weaker.

    Args:
        query: the text that was encoded.
        query_vectors: of it, (m, dimension) with m spans.
        page: (n, dimension) with n boxes; one vector for a whole page shows no place.

    Raises:
        ValueError: the vectors are not of one dimension.
    """
    if query_vectors.vectors.shape[1:] != page.vectors.shape[1:]:
        raise ValueError(
            f"the query has vectors of {query_vectors.vectors.shape[-1]} dimensions, the page of "
            f"{page.vectors.shape[-1]}: they were made by two encoders"
        )
    similarities = np.nan_to_num(query_vectors.vectors @ page.vectors.T).astype(np.float64)
    places = _Places(page)
    words = [
        HeatWord(start, end, places.cells(similarities[tokens].max(axis=0)) if tokens else ())
        for start, end, tokens in _words(query, query_vectors.spans)
    ]
    whole = sum((places.above_floor(row) for row in similarities), np.zeros(len(page.boxes_pt)))
    return HeatMap(query, tuple(words), places.cells(whole))


class _Places:
    """The boxes of a page, and how well each tells a place."""

    def __init__(self, page: PageVectors) -> None:
        self._boxes = np.asarray(page.boxes_pt, dtype=np.float64).reshape(-1, 4)
        with np.errstate(invalid="ignore"):
            sides = self._boxes[:, 2:] - self._boxes[:, :2]
        self._drawn = np.logical_and.reduce(np.hstack([np.isfinite(self._boxes), sides > 0]), axis=1)
        self._sources = [np.flatnonzero(page.sources == source) for source in np.unique(page.sources)]
        self._clarity = np.zeros(len(self._boxes))
        areas = np.where(self._drawn, sides.prod(axis=1), 0.0)
        for rows in self._sources:
            drawn = rows[self._drawn[rows]]
            if len(drawn):
                larger = areas[drawn] / (np.median(areas[drawn]) * _TYPICAL)
                self._clarity[drawn] = np.maximum(larger, 1.0) ** -_DAMPING

    def above_floor(self, similarities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) what similarities are above the floor of their source; 0 below it."""
        above = np.zeros(len(similarities))
        for rows in self._sources:
            low, middle, high = np.quantile(similarities[rows], (_NOISE_QUANTILE, 0.5, 1.0))
            floor = min(middle + _FLOOR_DEVIATIONS * (middle - low), (middle + high) / 2)
            above[rows] = np.maximum(similarities[rows] - floor, 0.0)
        return above

    def cells(self, similarities: NDArray[np.float64]) -> tuple[HeatCell, ...]:
        """The places that matter, one for each box, strongest first."""
        strengths = self.above_floor(similarities) * self._clarity
        best = strengths.max(initial=0.0)
        if best < 1e-6:
            return ()
        strengths /= best
        cells: dict[BBox, float] = {}
        for row in np.argsort(-strengths, kind="stable"):
            if strengths[row] < _LEAST_STRENGTH or len(cells) == _MOST_CELLS:
                break
            x0, y0, x1, y1 = (round(float(side), 1) for side in self._boxes[row])
            cells.setdefault((x0, y0, x1, y1), round(float(strengths[row]), 3))
        return tuple(HeatCell(box, strength) for box, strength in cells.items())


def _words(query: str, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, list[int]]]:
    """Yield the words of a query with the tokens that overlap them; scripts without spaces go by their tokens."""
    for match in _WORD.finditer(query):
        start, end = match.span()
        inside = [index for index, span in enumerate(spans) if span[0] < end and span[1] > start]
        if not _UNSPACED.search(match.group()):
            yield start, end, inside
            continue
        for left, right in sorted({(max(spans[i][0], start), min(spans[i][1], end)) for i in inside}):
            yield left, right, [i for i in inside if spans[i][0] < right and spans[i][1] > left]
