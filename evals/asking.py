"""One query put to a system; whatever goes wrong becomes part of the outcome."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ragvl.evals.records import Outcome, RunRequest
from ragvl.evals.types import EvalQuery, QueryResult, System

__all__ = ["Asker"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asker:
    """
    Puts queries to a system as a request says.

    Attributes:
        pages: ids of the corpus, which alone may be found.
        documents: ids of the documents that the corpus has pages of.
        relevance: as in `EvalSet`; the judged pages are the oracle's context.
    """

    system: System
    request: RunRequest
    pages: Collection[str]
    documents: Collection[str]
    relevance: Mapping[str, Mapping[str, int]]

    def ask(self, query: EvalQuery) -> Outcome:
        """Search, and answer where that is asked for; a failure is noted and ends its own part only."""
        in_document = oracle = None
        result = self._search(query, "")
        if self.request.answers and not result.error:
            result = self._answer(query, result, ())
        if self.request.in_document and query.document in self.documents:
            in_document = self._search(query, query.document)
        judged = self._judged(query)
        if self.request.oracle and judged:
            oracle = self._answer(query, QueryResult(query.id, {}, 0.0), judged)
        return Outcome(result, in_document, oracle)

    def _search(self, query: EvalQuery, document: str) -> QueryResult:
        started = time.perf_counter()
        try:
            found = self.system.search(query, self.request.k, document)
            seconds = time.perf_counter() - started
            scores = self._checked(found)
        except Exception as error:  # noqa: BLE001 -- whatever a system raises is this query's outcome
            where = " in its document" if document else ""
            return QueryResult(
                query.id, {}, time.perf_counter() - started, error=_told(f"search{where}", error)
            )
        return QueryResult(query.id, scores, seconds)

    def _answer(self, query: EvalQuery, result: QueryResult, pages: tuple[str, ...]) -> QueryResult:
        started = time.perf_counter()
        answer, problem = None, ""
        try:
            answer = self.system.answer(query, pages)
        except Exception as error:  # noqa: BLE001 -- as above
            problem = _told("answer from the judged pages" if pages else "answer", error)
        seconds = time.perf_counter() - started
        return QueryResult(result.query, result.scores, result.search_s, answer, seconds, problem)

    def _judged(self, query: EvalQuery) -> tuple[str, ...]:
        """Judged pages, best grade first; a grade of 0 says that a page does not answer."""
        grades = {page: grade for page, grade in self.relevance.get(query.id, {}).items() if grade > 0}
        return tuple(sorted(grades, key=lambda page: (-grades[page], page)))

    def _checked(self, found: Mapping[str, float]) -> dict[str, float]:
        """
        Put scores in order, best first, equal ones as trec_eval does: from the last id to the first.

        Raises:
            ValueError: a score or a page id cannot be, or there are more than were asked for.
        """
        for page, score in found.items():
            if not math.isfinite(score):
                raise ValueError(f"the system gave page {page!r} the score {score}")
            if page not in self.pages:
                raise ValueError(f"the system found page {page!r}, which is not in the corpus")
        if len(found) > self.request.k:
            raise ValueError(f"the system found {len(found)} pages when asked for {self.request.k}")
        ranked = sorted(found, key=lambda page: (found[page], page), reverse=True)
        return {page: float(found[page]) for page in ranked}


def _told(what: str, error: Exception) -> str:
    logger.debug("%s failed", what, exc_info=error)
    return f"{what}: {type(error).__name__}: {error}"
