"""Comparisons of an answer with a reference."""

from __future__ import annotations

import itertools
import random

import pytest

from ragvl.evals.metrics.anls import anls, edit_distance
from ragvl.evals.metrics.assignment import assign
from ragvl.evals.metrics.lists import list_exact_match, list_f1
from ragvl.evals.metrics.literal import read_list
from ragvl.evals.metrics.relaxed import relaxed_accuracy
from ragvl.evals.metrics.squad import exact_match, normalise, token_f1


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("ab", "ba", 2)],
)
def test_edit_distance(one: str, other: str, distance: int) -> None:
    """Insertions, deletions and replacements, in either direction."""
    assert edit_distance(one, other) == edit_distance(other, one) == distance


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("  Thames \n River ", "thames river", 1.0),
        ("hella", "hello", 0.8),
        ("abxx", "abcd", 0.0),  # exactly half
        ("abcxx", "abcde", 0.6),
        ("a very long answer around the word", "word", 0.0),
        ("", "", 1.0),
        ("", "a", 0.0),
    ],
)
def test_anls(prediction: str, reference: str, expected: float) -> None:
    """Similarity by edit distance; half or less is nothing."""
    assert anls(prediction, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("105", "100", 1.0),
        ("95", "100", 1.0),
        ("105.1", "100", 0.0),
        ("-105", "-100", 1.0),
        ("12.3%", "0.12", 1.0),
        ("Blue ", "blue", 1.0),
        ("blue", "red", 0.0),
        ("0.0001", "0", 0.0),  # no 5 % of nothing
        ("0", "0", 1.0),
        ("many", "100", 0.0),
        ("nan", "100", 0.0),
        ("1,200", "1200", 0.0),
    ],
)
def test_relaxed_accuracy(prediction: str, reference: str, expected: float) -> None:
    """Numbers within 5 %, texts equal in any case."""
    assert relaxed_accuracy(prediction, reference) == expected


def test_squad_normalisation() -> None:
    """Case, punctuation, articles and white space do not matter; the rest does."""
    assert normalise("The  Cat's\tan  answer!") == "cats answer"
    assert exact_match("The Eiffel Tower.", "eiffel tower") == 1.0
    assert exact_match("Theatre", "atre") == 0.0


def test_token_f1() -> None:
    """Three words of which two are shared with a reference of two; words count as often as they occur."""
    assert token_f1("big red fox", "red fox") == pytest.approx(2 * (2 / 3) * 1 / (2 / 3 + 1))
    assert token_f1("red red red", "red fox") == pytest.approx(2 * (1 / 3) * 0.5 / (1 / 3 + 0.5))
    assert token_f1("cat", "dog") == 0.0
    assert (token_f1("the", "a"), token_f1("", "cat")) == (1.0, 0.0)


def test_lists_match_in_any_order() -> None:
    """Normalised members, the same number of them."""
    assert list_exact_match(["The Red-Fox", "$20"], ["twenty", "red fox"]) == 1.0
    assert list_exact_match(["a fox"], ["fox", "fox"]) == 0.0
    assert list_exact_match(["fox", "cat"], ["fox", "dog"]) == 0.0


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        (["red fox", "cat"], ["cat", "red fox"], 1.0),
        (["cat"], ["cat", "dog"], 0.5),
        (["cat", "dog", "cow"], ["cat"], 0.33),
        (["red fox"], ["fox"], 0.67),
        (["20 dogs"], ["30 dogs"], 0.0),  # numbers disagree
        (["20 dogs"], ["dogs"], 0.67),  # the reference has no number to disagree with
        (["3.50"], ["3.5"], 1.0),
        (["a b c", "a b"], ["a b", "a b c"], 1.0),
        ([], ["cat"], 0.0),
        ([], [], 1.0),
    ],
)
def test_list_f1(prediction: list[str], reference: list[str], expected: float) -> None:
    """The best pairs, over the longer list, to two places."""
    assert list_f1(prediction, reference) == expected


def test_assignment_is_the_best_there_is() -> None:
    """Against every permutation, for all shapes up to 5 by 5; ties and equal rows included."""
    chance = random.Random(0)
    for rows, columns in itertools.product(range(1, 6), repeat=2):
        for _ in range(8):
            gains = [
                [chance.choice([0.0, 0.25, 0.5, chance.random()]) for _ in range(columns)]
                for _ in range(rows)
            ]
            pairs = assign(gains)
            assert (
                len(pairs)
                == min(rows, columns)
                == len({row for row, _ in pairs})
                == len({c for _, c in pairs})
            )
            assert pairs == sorted(pairs)
            total = sum(gains[row][column] for row, column in pairs)
            assert total == pytest.approx(best_total(gains), abs=1e-12)
    assert assign([]) == assign([[]]) == []


def best_total(gains: list[list[float]]) -> float:
    """The most that any one-to-one assignment adds up to."""
    if len(gains) > len(gains[0]):
        gains = [list(column) for column in zip(*gains, strict=True)]
    places = itertools.permutations(range(len(gains[0])), len(gains))
    return max(sum(gains[row][column] for row, column in enumerate(chosen)) for chosen in places)


def test_lists_in_texts_are_literals() -> None:
    """Anything else is none, without a warning and without being executed."""
    assert read_list("['a', 2, (1,)]") == ["a", 2, (1,)]
    for text in ("('a',)", "[a]", "[1,", "[__import__('os')]", "[" * 500, "['\\d' for _ in ()]", "[1\0]", ""):
        assert read_list(text) is None
