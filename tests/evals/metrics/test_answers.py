"""Answers by the rule of their dataset."""

from __future__ import annotations

import pytest

from ragvl.evals.metrics import evaluate_answers, score_answer
from ragvl.evals.types import EvalQuery, SystemAnswer

REFUSED = SystemAnswer("The documents do not say.", True, 0.1)


def query(
    *answers: str, answer_format: str = "", answerable: bool | None = True, name: str = "q"
) -> EvalQuery:
    """A query with reference answers."""
    return EvalQuery(name, "?", answers=answers, answer_format=answer_format, answerable=answerable)


def said(text: str) -> SystemAnswer:
    """An answer that is no refusal."""
    return SystemAnswer(text, False, 0.9)


def test_the_best_reference_counts() -> None:
    """Any of the references is right."""
    assert score_answer(query("nineteen", "19"), said("19"), "exact") == {"exact_match": 1.0, "token_f1": 1.0}


@pytest.mark.parametrize("rule", ["mmlongbench", "anls", "relaxed", "exact", "list"])
def test_refusing_is_right_only_where_nothing_answers(rule: str) -> None:
    """A refusal scores 1 on an unanswerable query and 0 on another; an answer to an unanswerable one scores 0."""
    unanswerable = query(answerable=False)
    assert set(score_answer(unanswerable, REFUSED, rule).values()) == {1.0}
    assert set(score_answer(unanswerable, said("42"), rule).values()) == {0.0}
    assert set(score_answer(unanswerable, None, rule).values()) == {0.0}
    assert set(score_answer(query("The documents do not say."), REFUSED, rule).values()) == {0.0}


def test_a_failed_query_scores_nothing() -> None:
    """No answer is 0, whatever the rule, and is counted."""
    evaluation = evaluate_answers([query("a", name="1"), query("b", name="2")], {"1": said("a")}, "anls")
    assert evaluation.scores == {"1": {"anls": 1.0}, "2": {"anls": 0.0}}
    assert evaluation.figures == {"anls": 0.5}


def test_queries_without_reference_are_named() -> None:
    """They have no score, and are not silently dropped."""
    evaluation = evaluate_answers([query(answerable=None, name="open"), query("a", name="1")], {}, "exact")
    assert evaluation.unscored == ("open",)
    assert set(evaluation.scores) == {"1"}


def test_mmlongbench_figures_hold_its_f1() -> None:
    """Two of three answerable right, all answered; one unanswerable refused: recall 2/3, precision 2/3."""
    queries = [query(str(number), answer_format="Int", name=str(number)) for number in range(3)]
    queries.append(query("Not answerable", answer_format="None", answerable=False, name="none"))
    answers = {"0": said("0"), "1": said("1"), "2": said("7"), "none": REFUSED}
    evaluation = evaluate_answers(queries, answers, "mmlongbench")
    assert evaluation.figures == {"accuracy": 0.75, "f1": pytest.approx(2 / 3)}
    everything = evaluate_answers(queries, answers | {"none": said("7")}, "mmlongbench")
    assert everything.figures == {"accuracy": 0.5, "f1": pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))}


def test_lists_are_read_from_either_side() -> None:
    """A text in brackets is a list; another text is a list of one."""
    listed = query("['red fox', 'blue']")
    assert score_answer(listed, said("['blue', 'red fox']"), "list") == {"list_em": 1.0, "list_f1": 1.0}
    assert score_answer(listed, said("blue"), "list") == {"list_em": 0.0, "list_f1": 0.5}
    assert score_answer(query("[sic]"), said("[sic]"), "list") == {"list_em": 1.0, "list_f1": 1.0}


def test_a_rule_that_does_not_exist_says_what_does() -> None:
    """Also when there is nothing to score."""
    with pytest.raises(ValueError, match="there is no answer rule 'bleu'; there are mmlongbench, anls"):
        evaluate_answers([], {}, "bleu")
    with pytest.raises(ValueError, match="there is no answer format 'Number'; there are Int, Float"):
        score_answer(query("1", answer_format="Number"), said("1"), "mmlongbench")
