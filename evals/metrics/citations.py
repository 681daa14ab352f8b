"""Cited pages against the pages that answer a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ragvl.evals.metrics.retrieval import mean_scores
from ragvl.evals.types import SystemAnswer

__all__ = ["CitationEvaluation", "evaluate_citations"]


@dataclass(frozen=True, slots=True)
class CitationEvaluation:
    """
    How right the citations are.

    Attributes:
        scores: query id to "citation_recall" and "citation_f1", and where the answer cites anything
            "citation_precision".
        figures: the mean of each ("macro"), the same over all citations together as "citation_recall_micro" and so
            on, and over all citations of all answers "outside_context" and "verified", as shares from 0 to 1. A
            figure that would divide by nothing is not there.
        citations: number of citations of all answers.
    """

    scores: Mapping[str, Mapping[str, float]]
    figures: Mapping[str, float]
    citations: int


@dataclass(frozen=True, slots=True)
class _Counts:
    """Pages cited, those of them that are right, and the pages that there are to cite; by weight where so asked."""

    right_of_cited: float
    cited: int
    right_of_gold: float
    gold: float

    def measures(self, suffix: str = "") -> dict[str, float]:
        recall = self.right_of_gold / self.gold
        precision = self.right_of_cited / self.cited if self.cited else 0.0
        harmonic = 2 * precision * recall / (precision + recall) if precision and recall else 0.0
        values = {f"citation_recall{suffix}": recall, f"citation_f1{suffix}": harmonic}
        if self.cited:
            values[f"citation_precision{suffix}"] = precision
        return values


def evaluate_citations(
    relevance: Mapping[str, Mapping[str, int]], answers: Mapping[str, SystemAnswer], *, by_grade: bool = False
) -> CitationEvaluation:
    """
    Compare cited pages with the pages of grade 1 and more.

    Queries with such a page are scored; one without an answer, or whose answer cites nothing, has recall and F1 0 and
    no precision. A page cited twice counts once. Every citation of a page that is not in the corpus counts as a wrong
    page of its own. Citations of answers to other queries (unanswerable ones) count only in the two shares.

    Args:
        by_grade: weigh pages: recall is the grades of the pages cited over the grades of all; a right page counts
            towards precision as its grade over the query's highest.
    """
    counts: dict[str, _Counts] = {}
    for query, grades in relevance.items():
        gold = {page: grade for page, grade in grades.items() if grade > 0}
        if gold:
            counts[query] = _count(gold, answers.get(query), by_grade)
    scores = {query: each.measures() for query, each in counts.items()}
    figures = mean_scores(scores)
    if counts:
        figures |= _Counts(
            sum(each.right_of_cited for each in counts.values()),
            sum(each.cited for each in counts.values()),
            sum(each.right_of_gold for each in counts.values()),
            sum(each.gold for each in counts.values()),
        ).measures("_micro")
    citations = [citation for answer in answers.values() for citation in answer.citations]
    if citations:
        figures["outside_context"] = sum(not each.in_context for each in citations) / len(citations)
        figures["verified"] = sum(each.verified for each in citations) / len(citations)
    return CitationEvaluation(scores, figures, len(citations))


def _count(gold: Mapping[str, int], answer: SystemAnswer | None, by_grade: bool) -> _Counts:
    pages = [citation.page for citation in answer.citations] if answer else []
    known = dict.fromkeys(page for page in pages if page)
    weights = [gold[page] if by_grade else 1 for page in known if page in gold]
    best = max(gold.values()) if by_grade else 1
    return _Counts(
        right_of_cited=sum(weights) / best,
        cited=len(known) + pages.count(""),
        right_of_gold=sum(weights),
        gold=sum(gold.values()) if by_grade else len(gold),
    )
