"""Requests: the same tokens as transformers writes, several at once, stopped, cancelled, continued."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ragvl.errors import GeneratorError
from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.inputs import EmbeddedInputs, TokenInputs
from ragvl.generator.nemotron.language.model import LanguageModel
from ragvl.generator.nemotron.request import Options
from ragvl.generator.nemotron.sampling import Sampling
from tests.generator.nemotron.tiny import HIDDEN, VOCABULARY

ANSWER = 24


def _prompt(length: int, seed: int = 0) -> TokenInputs:
    random = torch.Generator().manual_seed(100 * seed + length)
    return TokenInputs(tuple(torch.randint(0, VOCABULARY, (length,), generator=random).tolist()))


def _greedy(count: int = ANSWER, **options: Any) -> Options:
    return Options(max_tokens=count, **options)


def _generate(reference: Any, inputs: TokenInputs, count: int = ANSWER, **options: Any) -> list[int]:
    ids = torch.tensor([inputs.ids])
    found = reference.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False, **options
    )
    tokens: list[int] = found[0, ids.shape[1] :].tolist()
    return tokens


@pytest.fixture
def engine(model: LanguageModel) -> Engine:
    """One slot, prompts read ten tokens at a time."""
    return Engine(model, slots=1, capacity=80, prefill_tokens=10)


@pytest.mark.parametrize("length", [1, 9, 10, 11, 37])
def test_greedy_answers_are_those_of_transformers(engine: Engine, reference: Any, length: int) -> None:
    """Token for token, for prompts shorter and longer than a piece."""
    inputs = _prompt(length)
    expected = _generate(reference, inputs, eos_token_id=None)
    assert list(engine.stream(inputs, _greedy())) == expected
    assert len(set(expected)) > 5


def test_a_batch_of_requests_of_different_lengths(model: LanguageModel, reference: Any) -> None:
    """Seven prompts over three slots come back in order, each as if it were alone; slots are used again."""
    engine = Engine(model, slots=3, capacity=80)
    prompts = [(_prompt(length, seed=length), _greedy(count)) for length, count in _BATCH]
    expected = [
        _generate(reference, inputs, options.max_tokens, eos_token_id=None) for inputs, options in prompts
    ]
    assert [request.tokens for request in engine.generate(prompts)] == expected
    assert engine.free_slots == 3


_BATCH = [(5, 20), (31, 3), (2, 11), (17, 1), (8, 15), (40, 9), (3, 6)]


def test_a_stop_token_ends_an_answer(engine: Engine, reference: Any) -> None:
    """The stop token is the answer's last; the reason is known."""
    inputs = _prompt(12)
    whole = _generate(reference, inputs, eos_token_id=None)
    stop = whole[5]
    request = engine.generate([(inputs, _greedy(stop_ids=frozenset({stop})))])[0]
    assert (request.tokens, request.ending) == (whole[: whole.index(stop) + 1], "stop")
    request = engine.generate([(inputs, _greedy(4))])[0]
    assert (request.tokens, request.ending) == (whole[:4], "length")


def test_closing_the_stream_frees_the_slot(engine: Engine) -> None:
    """An answer that nobody reads on does not hold its slot."""
    stream = engine.stream(_prompt(5), _greedy())
    next(stream)
    assert engine.free_slots == 0
    stream.close()
    assert engine.free_slots == 1
    assert len(list(engine.stream(_prompt(5), _greedy(3)))) == 3


def test_an_answer_is_cancelled(engine: Engine) -> None:
    """The question is asked before every step; what was written stays."""
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) > 4

    written = list(engine.stream(_prompt(5), _greedy(), cancelled=cancelled))
    assert len(written) == 4
    assert engine.free_slots == 1


def test_a_long_prompt_is_cancelled_between_its_pieces(engine: Engine) -> None:
    """Cancelling does not wait for the whole prompt."""
    answers = iter([False, False, True])
    request = engine.start(_prompt(45), _greedy(), cancelled=lambda: next(answers))
    assert (request.ending, request.read, request.tokens) == ("cancelled", 20, [])
    assert engine.free_slots == 1


def test_one_of_several_is_cancelled(model: LanguageModel, reference: Any) -> None:
    """The others go on undisturbed."""
    engine = Engine(model, slots=2, capacity=80)
    first, second = engine.start(_prompt(6), _greedy()), engine.start(_prompt(9), _greedy())
    engine.step()
    engine.cancel(first)
    while second.ending is None:
        engine.step()
    assert first.ending == "cancelled"
    assert second.tokens == _generate(reference, _prompt(9), eos_token_id=None)


def test_a_prefix_is_not_read_again(engine: Engine, model: LanguageModel) -> None:
    """From a snapshot on, the answer is the same, and only the rest of the prompt is read."""
    inputs = _prompt(33)
    first = engine.start(inputs, _greedy(1), snapshot_at=[7, 25])
    assert sorted(first.snapshots) == [7, 25]
    whole = engine.generate([(inputs, _greedy())])[0].tokens
    other = Engine(model, slots=2, capacity=80, prefill_tokens=10)
    for length in (7, 25):
        embedded: list[tuple[int, int]] = []
        request = other.start(_Watched(inputs, embedded), _greedy(), prefix=first.snapshots[length].to("cpu"))
        while request.ending is None:
            other.step()
        assert request.tokens == whole
        assert embedded[0][0] == length
        assert embedded[-1][1] == 33


class _Watched:
    """Notes which tokens are embedded."""

    def __init__(self, inputs: TokenInputs, embedded: list[tuple[int, int]]) -> None:
        self._inputs, self._embedded = inputs, embedded
        self.ids = inputs.ids

    def __len__(self) -> int:
        return len(self._inputs)

    def embeds(self, model: LanguageModel, start: int, stop: int) -> torch.Tensor:
        self._embedded.append((start, stop))
        return self._inputs.embeds(model, start, stop)


def test_the_next_turn_begins_where_the_answer_ended(engine: Engine) -> None:
    """A snapshot of the end holds prompt and answer but for the last token, and is a prefix of the next turn."""
    inputs = _prompt(11)
    first = engine.generate([(inputs, _greedy(6, keep_end=True))])[0]
    assert list(first.snapshots) == [16]
    turn = TokenInputs((*inputs.ids, *first.tokens, 3, 4, 5))
    cold = engine.generate([(turn, _greedy(8))])[0].tokens
    warm = engine.start(turn, _greedy(8), prefix=first.snapshots[16])
    while warm.ending is None:
        engine.step()
    assert warm.tokens == cold


def test_a_snapshot_of_a_request_under_way(engine: Engine) -> None:
    """It can be taken between steps, and not after the end."""
    request = engine.start(_prompt(5), _greedy(3))
    engine.step()
    assert engine.snapshot(request).length == 6
    engine.step()
    with pytest.raises(ValueError, match="keep_end"):
        engine.snapshot(request)


def test_words_put_into_the_mouth(engine: Engine, reference: Any) -> None:
    """An answer goes on after given tokens as if it had written them."""
    inputs = _prompt(8)
    request = engine.start(inputs, _greedy(20))
    engine.step()
    begun = list(request.tokens)
    engine.extend(request, [7, 8, 9])
    while request.ending is None:
        engine.step()
    expected = _generate(reference, TokenInputs((*inputs.ids, *begun, 7, 8, 9)), 15, eos_token_id=None)
    assert request.tokens == [*begun, 7, 8, 9, *expected]
    with pytest.raises(ValueError, match="cannot be added"):
        engine.extend(request, [1])


def _continue(reference: Any, embeds: torch.Tensor) -> list[int]:
    """A greedy answer by reading everything again for each token: generate() takes no embeddings of this model."""
    tokens: list[int] = []
    with torch.inference_mode():
        for _ in range(ANSWER):
            written = reference.get_input_embeddings()(torch.tensor(tokens, dtype=torch.int64))
            logits = reference(inputs_embeds=torch.cat([embeds, written])[None], use_cache=False).logits
            tokens.append(int(logits[0, -1].argmax()))
    return tokens


def test_features_take_the_place_of_tokens(engine: Engine, reference: Any) -> None:
    """Placeholders are never looked up; features that lie over the seam of two pieces are all there."""
    ids = list(_prompt(25).ids)
    features = torch.randn(9, HIDDEN, generator=torch.Generator().manual_seed(5))
    positions = torch.tensor([3, 4, 8, 9, 10, 11, 19, 20, 24])
    embeds = reference.get_input_embeddings()(torch.tensor(ids)).detach().clone()
    embeds[positions] = features
    expected = _continue(reference, embeds)
    for placeholder in (0, 50):
        for position in positions.tolist():
            ids[position] = placeholder
        scattered = TokenInputs(tuple(ids), features, positions)
        assert list(engine.stream(scattered, _greedy())) == expected
    assert list(engine.stream(EmbeddedInputs(embeds), _greedy())) == expected


def test_the_same_seed_draws_the_same_answer_alone_and_in_company(model: LanguageModel) -> None:
    """A request's draws are its own: they do not depend on what else is under way; another seed draws otherwise."""
    sampling = Sampling(temperature=1.0, top_p=0.95, seed=7)
    wanted = (_prompt(6), _greedy(sampling=sampling))
    alone = Engine(model, slots=1, capacity=80).generate([wanted])[0].tokens
    other = (_prompt(9), _greedy(sampling=Sampling(temperature=1.0, seed=8)))
    greedy = (_prompt(6), _greedy())
    found = Engine(model, slots=3, capacity=80).generate([other, wanted, greedy, (_prompt(6), other[1])])
    assert found[1].tokens == alone
    assert found[2].tokens != alone
    assert found[3].tokens != alone


def test_what_does_not_fit_is_refused_before_it_is_read(engine: Engine) -> None:
    """The message has the numbers and the way out; a full engine says so."""
    with pytest.raises(GeneratorError, match=r"prompt of 70 tokens .* up to 24 do not fit the 80"):
        engine.start(_prompt(70), _greedy())
    engine.start(_prompt(5), _greedy())
    with pytest.raises(GeneratorError, match="all 1 slots are taken"):
        engine.start(_prompt(5), _greedy())


def test_the_last_token_that_fits(engine: Engine, reference: Any) -> None:
    """Prompt and answer may fill the capacity to the last token."""
    inputs = _prompt(70)
    assert list(engine.stream(inputs, _greedy(10))) == _generate(reference, inputs, 10, eos_token_id=None)


def test_a_full_slot_that_has_ended_stands_still(model: LanguageModel, reference: Any) -> None:
    """While a later slot writes on, an ended one below it does not run over its capacity."""
    engine = Engine(model, slots=2, capacity=40)
    prompts = [(_prompt(38), _greedy(2)), (_prompt(5), _greedy(35))]
    found = [request.tokens for request in engine.generate(prompts)]
    assert found == [
        _generate(reference, inputs, options.max_tokens, eos_token_id=None) for inputs, options in prompts
    ]


def test_a_batch_that_fails_leaves_no_slot_taken(model: LanguageModel) -> None:
    """One prompt that does not fit ends the batch; the engine can be used again."""
    engine = Engine(model, slots=2, capacity=40)
    with pytest.raises(GeneratorError):
        engine.generate([(_prompt(5), _greedy()), (_prompt(39), _greedy())])
    assert engine.free_slots == 2


@pytest.mark.parametrize(
    ("prefix", "cuts"), [(12, []), (13, []), (None, [0]), (None, [13]), (5, [5]), (5, [3, 8])]
)
def test_prefixes_and_snapshots_out_of_range(engine: Engine, prefix: int | None, cuts: list[int]) -> None:
    """A prefix is shorter than the prompt; snapshots lie between the two."""
    snapshot = None
    if prefix is not None:
        snapshot = engine.start(_prompt(20), _greedy(1), snapshot_at=[prefix]).snapshots[prefix]
    with pytest.raises(ValueError, match="do not suit a prompt of 12 tokens"):
        engine.start(_prompt(12), _greedy(), prefix=snapshot, snapshot_at=cuts)


def test_a_graph_needs_cuda(model: LanguageModel) -> None:
    """Asked for on a CPU, capture is an error, not passed over."""
    with pytest.raises(ValueError, match="cannot be captured on cpu"):
        Engine(model, capture=True)


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("max_tokens must be at least 1", lambda: _greedy(0)),
        ("at least one token", lambda: TokenInputs(())),
        ("come together", lambda: TokenInputs((1, 2), torch.ones(1, HIDDEN))),
        ("one position for each", lambda: TokenInputs((1, 2), torch.ones(2, HIDDEN), torch.tensor([0]))),
        ("ascend", lambda: TokenInputs((1, 2), torch.ones(2, HIDDEN), torch.tensor([1, 0]))),
        ("ascend", lambda: TokenInputs((1, 2), torch.ones(1, HIDDEN), torch.tensor([2]))),
        ("hidden", lambda: EmbeddedInputs(torch.ones(HIDDEN))),
    ],
)
def test_what_cannot_be_asked(message: str, make: Any) -> None:
    """Wrong arguments are named when they are made."""
    with pytest.raises(ValueError, match=message):
        make()
