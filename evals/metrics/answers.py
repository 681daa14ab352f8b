"""Answers against reference answers, by the rule of the dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ragvl.evals.metrics import mmlongbench
from ragvl.evals.metrics.anls import anls
from ragvl.evals.metrics.lists import list_exact_match, list_f1
from ragvl.evals.metrics.literal import read_list
from ragvl.evals.metrics.relaxed import relaxed_accuracy
from ragvl.evals.metrics.retrieval import mean_scores
from ragvl.evals.metrics.squad import exact_match, token_f1
from ragvl.evals.types import EvalQuery, SystemAnswer

__all__ = ["ANSWER_RULES", "AnswerEvaluation", "evaluate_answers", "score_answer"]

_MMLONGBENCH = "mmlongbench"
_COMPARISONS: Mapping[str, Mapping[str, Callable[[str, str], float]]] = {
    "anls": {"anls": anls},
    "relaxed": {"relaxed_accuracy": relaxed_accuracy},
    "exact": {"exact_match": exact_match, "token_f1": token_f1},
    "list": {
        "list_em": lambda prediction, reference: list_exact_match(_members(prediction), _members(reference)),
        "list_f1": lambda prediction, reference: list_f1(_members(prediction), _members(reference)),
    },
}
ANSWER_RULES = (_MMLONGBENCH, *_COMPARISONS)


@dataclass(frozen=True, slots=True)
class AnswerEvaluation:
    """
    How right the answers are.

    Attributes:
        scores: query id to measure to value from 0 to 1; queries that cannot be scored are left out.
        figures: the mean of each measure, and for the rule "mmlongbench" the benchmark's "f1", which is no mean.
        unscored: ids of the queries without a reference answer that are not known to be unanswerable.
    """

    scores: Mapping[str, Mapping[str, float]]
    figures: Mapping[str, float]
    unscored: tuple[str, ...]


def evaluate_answers(
    queries: Iterable[EvalQuery], answers: Mapping[str, SystemAnswer], rule: str
) -> AnswerEvaluation:
    """
    Score answers by query id; a query without an answer (the system failed) scores 0.

    Args:
        rule: "mmlongbench" (measure "accuracy"), "anls" ("anls"), "relaxed" ("relaxed_accuracy"), "exact"
            ("exact_match", "token_f1") or "list" ("list_em", "list_f1").

    Raises:
        ValueError: the rule is not one of these, or a query's answer format is unknown to "mmlongbench".
    """
    known = tuple(queries)
    _check(rule)
    scored = [query for query in known if _references(query)]
    scores = {query.id: score_answer(query, answers.get(query.id), rule) for query in scored}
    figures = mean_scores(scores)
    if rule == _MMLONGBENCH:
        figures["f1"] = mmlongbench.f1(
            (scores[query.id]["accuracy"], _short(answers.get(query.id)), _references(query)[0])
            for query in scored
        )
    return AnswerEvaluation(scores, figures, tuple(query.id for query in known if not _references(query)))


def score_answer(query: EvalQuery, answer: SystemAnswer | None, rule: str) -> dict[str, float]:
    """
    Score one answer against the best of the references; measure to value from 0 to 1.

    A refusal is right where the query is unanswerable, and wrong elsewhere. Under "mmlongbench" it counts as the words
    "Not answerable", and a query without an answer format is compared as "Str". Under "list", a text such as
    "['a', 'b']" is a list, on either side, and any other text is a list of one.

    Args:
        answer: None when the system failed.

    Raises:
        ValueError: as `evaluate_answers`.
    """
    _check(rule)
    references = _references(query)
    if rule == _MMLONGBENCH:
        answer_format = query.answer_format or "Str"
        given = _short(answer)
        return {
            "accuracy": max(
                (mmlongbench.score(given, reference, answer_format) for reference in references), default=0.0
            )
        }
    refused = answer is not None and answer.refused
    if query.answerable is False or refused or answer is None:
        return {measure: float(query.answerable is False and refused) for measure in _COMPARISONS[rule]}
    return {
        measure: max((compare(answer.text, reference) for reference in references), default=0.0)
        for measure, compare in _COMPARISONS[rule].items()
    }


def _check(rule: str) -> None:
    if rule not in ANSWER_RULES:
        raise ValueError(f"there is no answer rule {rule!r}; there are {', '.join(ANSWER_RULES)}")


def _references(query: EvalQuery) -> tuple[str, ...]:
    return (mmlongbench.NOT_ANSWERABLE,) if query.answerable is False else query.answers


def _short(answer: SystemAnswer | None) -> str:
    if answer is None:
        return ""
    return mmlongbench.NOT_ANSWERABLE if answer.refused else answer.text


def _members(text: str) -> list[str]:
    listed = read_list(text) if text.startswith("[") else None
    return [text] if listed is None else [str(member) for member in listed]
