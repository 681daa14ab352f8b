"""Guesses change how fast an answer comes, never the answer."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.inputs import TokenInputs
from ragvl.generator.nemotron.language.model import LanguageModel
from ragvl.generator.nemotron.request import Drafter, Options, Request
from ragvl.generator.nemotron.sampling import Sampling
from ragvl.generator.nemotron.speculation.ngrams import NgramDrafter
from tests.generator.nemotron.tiny import VOCABULARY

ANSWER = 30


class _Oracle:
    """Guesses from the true answer, wrong in a random place."""

    def __init__(self, prompt: Sequence[int], answer: Sequence[int], seed: int) -> None:
        self._text = [*prompt, *answer]
        self._random = random.Random(seed)

    def propose(self, tokens: Sequence[int]) -> Sequence[int]:
        done = next(
            end
            for end in range(len(tokens), len(self._text) + 1)
            if self._text[max(0, end - len(tokens)) : end] == list(tokens)
        )
        guess = self._text[done : done + self._random.randint(0, 7)]
        wrong = self._random.randint(0, 7)
        return [token if place != wrong else (token + 1) % VOCABULARY for place, token in enumerate(guess)]


STOPS = frozenset({11, 12})


def _answer(
    engine: Engine, ids: tuple[int, ...], drafter: Drafter | None, stop_ids: frozenset[int] = STOPS
) -> Request:
    wanted = Options(max_tokens=ANSWER, stop_ids=stop_ids, drafter=drafter, keep_end=True)
    return engine.generate([(TokenInputs(ids), wanted)])[0]


@pytest.mark.parametrize("seed", range(8))
def test_any_guesses_leave_the_greedy_answer_as_it_is(model: LanguageModel, seed: int) -> None:
    """Whatever is guessed, right, partly right or junk: tokens, ending and what is remembered are the same."""
    rng = random.Random(seed)
    ids = tuple(rng.randrange(VOCABULARY) for _ in range(rng.randint(1, 40)))
    engine = Engine(model, capacity=80, prefill_tokens=16)
    plain = _answer(engine, ids, None)
    junk = NgramDrafter([[rng.randrange(VOCABULARY) for _ in range(300)]], shortest=1)
    for drafter in (_Oracle(ids, plain.tokens, seed), NgramDrafter([plain.tokens]), junk):
        found = _answer(engine, ids, drafter)
        assert (found.tokens, found.ending, found.read) == (plain.tokens, plain.ending, plain.read)
        kept, expected = found.snapshots[found.read], plain.snapshots[plain.read]
        for name in ("keys", "values", "ssm", "conv"):
            assert (getattr(kept, name) - getattr(expected, name)).abs().max() < 1e-3, name


@pytest.mark.parametrize("place", range(4, 12))
def test_a_stop_in_the_middle_of_a_guess(model: LanguageModel, place: int) -> None:
    """Tokens that were guessed beyond a stop are not part of the answer, nor of what is remembered."""
    ids = tuple(range(20, 40))
    engine = Engine(model, capacity=80)
    whole = _answer(engine, ids, None, frozenset()).tokens
    stops = frozenset({whole[place]})
    plain = _answer(engine, ids, None, stops)
    found = _answer(engine, ids, NgramDrafter([whole], shortest=1), stops)
    assert (found.tokens, found.ending, found.read) == (plain.tokens, "stop", plain.read)
    assert found.snapshots[found.read].ssm.allclose(plain.snapshots[plain.read].ssm, atol=1e-3)


def test_right_guesses_save_steps(model: LanguageModel) -> None:
    """An answer that stands in a given text takes far fewer steps, and what was accepted is counted."""
    ids = tuple(range(20, 40))
    engine = Engine(model, capacity=80)
    plain = _answer(engine, ids, None, frozenset())
    assert len(plain.tokens) == ANSWER
    request = engine.start(
        TokenInputs(ids),
        Options(max_tokens=ANSWER, drafter=NgramDrafter([plain.tokens], longest=8, shortest=1)),
    )
    steps = 0
    while request.ending is None:
        engine.step()
        steps += 1
    assert request.tokens == plain.tokens
    assert steps <= ANSWER // 3
    assert ANSWER - steps - 1 == request.accepted <= request.checked


def test_in_company_requests_are_not_guessed(model: LanguageModel) -> None:
    """With another request under way, guesses wait; both answers are as they would be alone."""
    engine = Engine(model, slots=2, capacity=80)
    texts = [tuple(range(5, 15)), tuple(range(50, 70))]
    alone = [_answer(engine, ids, None).tokens for ids in texts]
    prompts = [
        (TokenInputs(ids), Options(ANSWER, STOPS, drafter=NgramDrafter([tokens], shortest=1)))
        for ids, tokens in zip(texts, alone, strict=True)
    ]
    assert [request.tokens for request in engine.generate(prompts)] == alone


def test_the_longest_match_is_guessed_from() -> None:
    """Three tokens in common beat two; a guess ends with its text, and no guess is made without a match."""
    drafter = NgramDrafter([[1, 2, 3, 4], [9, 2, 3, 7, 8, 9]], most=2)
    assert drafter.propose([1, 2, 3]) == (4,)
    assert drafter.propose([9, 2, 3]) == (7, 8)
    assert drafter.propose([5, 2, 3]) == (4,)
    assert drafter.propose([3]) == ()
    assert drafter.propose([3, 4]) == ()
    assert drafter.propose([]) == ()


def test_guesses_need_greedy_answers() -> None:
    """A drawn token cannot be checked."""
    with pytest.raises(ValueError, match="temperature 0"):
        Options(max_tokens=5, sampling=Sampling(temperature=0.7), drafter=NgramDrafter([]))


@pytest.mark.parametrize("numbers", [{"shortest": 0}, {"longest": 1}, {"most": 0}])
def test_numbers_out_of_range(numbers: dict[str, int]) -> None:
    """They are refused when they are given."""
    with pytest.raises(ValueError, match="1 <= shortest"):
        NgramDrafter([], **numbers)
