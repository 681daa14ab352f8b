"""Citations, by hand."""

from __future__ import annotations

import pytest

from ragvl.evals.metrics import evaluate_citations
from ragvl.evals.types import SystemAnswer, SystemCitation

RELEVANCE = {"two": {"a": 2, "b": 1, "zero": 0}, "one": {"c": 1}}


def citing(*pages: str, in_context: bool = True, verified: bool = True) -> SystemAnswer:
    """An answer that cites pages."""
    citations = tuple(SystemCitation(page, in_context, verified) for page in pages)
    return SystemAnswer("text", False, 0.5, citations)


def test_scores_of_one_query() -> None:
    """One of two pages found, and a third that is wrong: precision 1/2, recall 1/2; cited twice counts once."""
    scores = evaluate_citations(RELEVANCE, {"two": citing("a", "zero", "a")}).scores
    assert scores["two"] == {"citation_precision": 0.5, "citation_recall": 0.5, "citation_f1": 0.5}


def test_nothing_cited_has_no_precision() -> None:
    """Recall and F1 are 0; precision is of no citations, and left out of its mean."""
    evaluation = evaluate_citations(RELEVANCE, {"two": citing("a", "b"), "one": citing()})
    assert evaluation.scores["one"] == {"citation_recall": 0.0, "citation_f1": 0.0}
    assert evaluation.figures["citation_precision"] == 1.0
    assert evaluation.figures["citation_recall"] == 0.5


def test_micro_and_macro_differ() -> None:
    """3 pages cited, 2 right, 3 to cite: micro 2/3 throughout. Macro precision (1/2 + 1) / 2, recall (1/2 + 1) / 2."""
    figures = evaluate_citations(RELEVANCE, {"two": citing("a", "x"), "one": citing("c")}).figures
    assert figures["citation_precision_micro"] == figures["citation_recall_micro"] == pytest.approx(2 / 3)
    assert figures["citation_f1_micro"] == pytest.approx(2 / 3)
    assert figures["citation_precision"] == figures["citation_recall"] == 0.75


def test_grades_weigh_pages() -> None:
    """Grade 1 of 2 and 1: recall 1/3; precision 1/2, as the best page would have been worth 2."""
    scores = evaluate_citations(RELEVANCE, {"two": citing("b")}, by_grade=True).scores
    assert scores["two"]["citation_recall"] == pytest.approx(1 / 3)
    assert scores["two"]["citation_precision"] == 0.5
    assert evaluate_citations(RELEVANCE, {"two": citing("a")}, by_grade=True).scores["two"] == {
        "citation_recall": pytest.approx(2 / 3),
        "citation_precision": 1.0,
        "citation_f1": pytest.approx(0.8),
    }


def test_pages_outside_the_corpus_are_wrong_each() -> None:
    """Two citations of unknown pages and a right one: precision 1/3."""
    scores = evaluate_citations(RELEVANCE, {"one": citing("", "c", "")}).scores
    assert scores["one"]["citation_precision"] == pytest.approx(1 / 3)


def test_shares_are_of_all_citations() -> None:
    """Four citations, one outside the context, two verified; those of an unanswerable query count too."""
    answers = {
        "one": citing("c", verified=False),
        "two": citing("x", in_context=False, verified=False),
        "unanswerable": citing("y", "z"),
    }
    evaluation = evaluate_citations(RELEVANCE, answers)
    assert evaluation.citations == 4
    assert (evaluation.figures["outside_context"], evaluation.figures["verified"]) == (0.25, 0.5)


def test_what_would_divide_by_nothing_is_not_there() -> None:
    """No citations, no shares; no judged pages, no scores."""
    evaluation = evaluate_citations({"q": {"a": 0}}, {})
    assert (evaluation.scores, evaluation.figures, evaluation.citations) == ({}, {}, 0)
    assert evaluate_citations({"q": {"a": 1}}, {}).figures == {
        "citation_recall": 0.0,
        "citation_f1": 0.0,
        "citation_recall_micro": 0.0,
        "citation_f1_micro": 0.0,
    }
