"""Putting the best pages into a new order, in a given time or not at all."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from ragvl.config import RerankConfig
from ragvl.protocols import Reranker

if TYPE_CHECKING:
    from PIL.Image import Image

logger = logging.getLogger(__name__)

Shown = tuple[str, "Image | None"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    A page that may be shown to a reranker.

    Attributes:
        texts: of its passages, the ones that the lanes found first; at least one.
        text: of the whole page.
        draw: the page as an image; None when it cannot be drawn.
    """

    page_id: int
    texts: tuple[str, ...]
    text: str
    draw: Callable[[], Image | None]


def rerank(
    reranker: Reranker,
    config: RerankConfig,
    query: str,
    candidates: Sequence[Candidate],
    clock: Callable[[], float] = time.monotonic,
) -> list[tuple[int, float]] | None:
    """
    Score all candidates, each by what is best of it.

    Args:
        candidates: in the order that stands where scores are equal.
        clock: seconds from any start; the time is looked at between batches, and a batch is never cut short.

    Returns:
        Page ids and scores, best first; None when the time ran out or a score is no number: pages with a score and
        pages without one cannot be put into one order, so that the old one stands, and the log says why.
    """
    reranker.prepare()
    deadline = clock() + config.budget_s
    scores: dict[int, float] = {}
    documents = _documents(candidates, config.kind)
    while batch := list(islice(documents, config.batch_size)):
        if clock() > deadline:
            logger.warning(
                "pages are not reranked: %.3g s were over with %d of %d of them scored; raise "
                "retrieval.rerank.budget_s, or lower retrieval.rerank.candidates",
                config.budget_s,
                len(scores),
                len(candidates),
            )
            return None
        for (page_id, _), score in zip(
            batch, reranker.score(query, [shown for _, shown in batch]), strict=True
        ):
            scores[page_id] = max(scores.get(page_id, -math.inf), score)
            if not math.isfinite(score):
                logger.warning("pages are not reranked: the model gave %s as a score", score)
                return None
    order = [candidate.page_id for candidate in candidates]
    # Rounded: what else was in a batch must not decide. The sort keeps the old order of equal ones.
    return [(page_id, scores[page_id]) for page_id in sorted(order, key=lambda one: -round(scores[one], 5))]


def _documents(candidates: Sequence[Candidate], kind: str) -> Iterator[tuple[int, Shown]]:
    """What is shown of each page, with its id; a page that cannot be drawn is shown as text."""
    for candidate in candidates:
        image = None if kind == "text" else candidate.draw()
        if image is not None:
            yield candidate.page_id, (candidate.text if kind == "both" else "", image)
        elif kind == "text":
            for text in candidate.texts:
                yield candidate.page_id, (text, None)
        else:
            yield candidate.page_id, (candidate.text, None)
