"""MMLongBench-Doc's rules, its oddities among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragvl.evals.metrics.mmlongbench import f1, score


@pytest.mark.parametrize(
    ("answer_format", "reference", "prediction", "expected"),
    [
        ("Int", "3", "3", 1.0),
        ("Int", "3", "3.9", 1.0),  # cut, not rounded
        ("Int", "3", "4", 0.0),
        ("Int", "3", "three", 0.0),
        ("Int", "21%", "21%", 0.0),  # a reference that is no whole number is never met
        ("Int", "3", "1e999", 0.0),
        ("Float", "18.29%", "18.29", 1.0),
        ("Float", "18.29%", "0.1829", 1.0),
        ("Float", "0.5", "50", 1.0),
        ("Float", "100", "101", 1.0),  # within 1 %
        ("Float", "100", "102", 0.0),
        ("Float", "0.123", "0.12", 1.0),  # equal with as many digits as the shorter has, but at least 2
        ("Float", "$3.2 (million)", "3.2", 1.0),
        ("Float", "3 million", "3", 0.0),  # units are looked for but not removed
        ("Float", "1.5", "nan", 0.0),
        ("Str", "Yahoo", "yahoo", 1.0),
        ("Str", "abcd", "abxx", 0.0),  # similarity 0.5 is not enough
        ("Str", "abcde", "abcdx", 0.8),
        ("Str", "'White'", '"white', 1.0),
        ("Str", "see https://a.org/b", "see https://a.org/c", 0.0),  # must be equal
        ("Str", "main.py", "main.pi", 0.0),
        ("Str", "Page 12", "page 13", 0.0),
        ("Str", "555-1234", "555-1235", 0.0),
        ("Str", "9 a.m. sharp", "8 a.m. sharp", 0.0),
        ("Str", "2019-04", "2019-05", 0.0),
        ("Str", "me@mail.org", "me@mail.com", 0.0),
        ("None", "Not answerable", "Not answerable", 1.0),
        ("None", "Not answerable", "The fund gained 5 %.", 0.0),
        ("List", "['Circle', 'Rectangle']", "['rectangle', 'circle']", 1.0),
        ("List", "['Circle', 'Rectangle']", "['Circle']", 0.0),
        ("List", "['abcde', 'x']", "['abcdy', 'x']", 0.8),  # the worst pair
        ("List", "['10', 'White']", "['10', 'Whit']", 0.0),  # the first is a number: all must be equal
        ("List", "[2, 1]", "['1', '2']", 1.0),
        ("List", "92", "92", 1.0),  # some references of this format are no lists
        ("List", "['a']", "[a]", 0.0),
        ("List", "[]", "[]", 0.0),
        ("List", "['a']", "[" * 5000, 0.0),
        ("List", r"['a']", r"['\d']", 0.0),
    ],
)
def test_answers_score_as_the_original_scores_them(
    answer_format: str, reference: str, prediction: str, expected: float
) -> None:
    """One row a rule or an oddity."""
    assert score(prediction, reference, answer_format) == pytest.approx(expected)


def test_answers_are_never_executed(tmp_path: Path) -> None:
    """The original evaluates what the model wrote."""
    target = tmp_path / "made"
    assert score(f"[open({str(target)!r}, 'w')]", "['a']", "List") == 0.0
    assert not target.exists()


def test_f1_counts_refusals_by_their_exact_spelling() -> None:
    """Precision divides by what was answered: "not answerable" in lower case counts as an answer."""
    samples = [(1.0, "a", "a"), (0.0, "Not answerable", "b"), (1.0, "Not answerable", "Not answerable")]
    assert f1(samples) == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert f1([*samples, (1.0, "not answerable", "Not answerable")]) == pytest.approx(0.5)


def test_f1_of_nothing_is_zero() -> None:
    """No answerable question, nothing answered, nothing right."""
    assert f1([]) == f1([(1.0, "Not answerable", "Not answerable")]) == f1([(0.0, "a", "b")]) == 0.0
    assert f1([(0.0, "Not answerable", "b")]) == 0.0
