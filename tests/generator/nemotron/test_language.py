"""The language model gives what transformers gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from ragvl.generator.nemotron.language.layer import Trace
from ragvl.generator.nemotron.language.model import LanguageModel
from ragvl.generator.nemotron.state import State
from tests.generator.nemotron.tiny import VOCABULARY

TOLERANCE = 1e-4
LENGTH = 29


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def _tokens(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, VOCABULARY, shape, generator=torch.Generator().manual_seed(seed))


def _read(
    model: LanguageModel, ids: torch.Tensor, state: State, start: int = 0, keep: int | None = None
) -> torch.Tensor:
    return model.prefill(model.embed(ids), state, start, keep=ids.shape[1] if keep is None else keep)


def _off(found: torch.Tensor, expected: torch.Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).abs().max())


def _step(model: LanguageModel, ids: torch.Tensor, state: State) -> torch.Tensor:
    logits = torch.full((len(ids), VOCABULARY), float("nan"))
    return model.decode(ids, state, torch.ones(len(ids), dtype=torch.int32), logits)


def test_a_whole_prompt(model: LanguageModel, reference: Any) -> None:
    """Logits of every position of two prompts equal those of transformers, and differ between positions."""
    ids = _tokens(2, LENGTH)
    expected = reference(ids, use_cache=False).logits
    assert expected.std() > 0.5
    assert _off(_read(model, ids, model.new_state(2, LENGTH)), expected) < TOLERANCE


@pytest.mark.parametrize("split", range(1, LENGTH))
def test_a_prompt_in_two_pieces(model: LanguageModel, reference: Any, split: int) -> None:
    """Wherever a prompt is cut, the state carries over."""
    ids = _tokens(1, LENGTH)
    state = model.new_state(1, LENGTH)
    pieces = [_read(model, ids[:, :split], state), _read(model, ids[:, split:], state, split)]
    assert _off(torch.cat(pieces, dim=1), reference(ids, use_cache=False).logits) < TOLERANCE


@pytest.mark.parametrize("prompt", [1, 2, 3, 4, 5, 13])
def test_token_by_token(model: LanguageModel, reference: Any, prompt: int) -> None:
    """Every decode step after a prompt gives the logits of the whole text at that place; the ring wraps."""
    ids = _tokens(2, LENGTH)
    expected = reference(ids, use_cache=False).logits
    state = model.new_state(2, LENGTH)
    _read(model, ids[:, :prompt], state)
    for place in range(prompt, LENGTH):
        assert _off(_step(model, ids[:, place], state), expected[:, place]) < TOLERANCE, place
    assert state.lengths.tolist() == [LENGTH, LENGTH]


def test_more_rows_than_a_thin_product_takes(model: LanguageModel, reference: Any) -> None:
    """Eleven requests a step go another way through the linear layers, to the same logits."""
    ids = _tokens(11, 7)
    state = model.new_state(11, 7)
    _read(model, ids[:, :6], state)
    expected = reference(ids, use_cache=False).logits[:, 6]
    assert _off(_step(model, ids[:, 6], state), expected) < TOLERANCE


def test_reading_after_writing(model: LanguageModel, reference: Any) -> None:
    """A piece of prompt may follow decode steps, as when words are put into the model's mouth."""
    ids = _tokens(1, LENGTH)
    expected = reference(ids, use_cache=False).logits
    state = model.new_state(1, LENGTH)
    _read(model, ids[:, :6], state)
    for place in range(6, 13):
        _step(model, ids[:, place], state)
    assert _off(_read(model, ids[:, 13:], state, 13), expected[:, 13:]) < TOLERANCE


def test_requests_of_different_lengths(model: LanguageModel, reference: Any) -> None:
    """Slots that stand at different positions decode together, each as if it were alone."""
    lengths = (3, 17, 9)
    texts = [_tokens(1, length + 6, seed=length) for length in lengths]
    state = model.new_state(len(lengths), 24)
    for slot, (text, length) in enumerate(zip(texts, lengths, strict=True)):
        _read(model, text[:, :length], state.rows(slot, slot + 1))
    expected = [reference(text, use_cache=False).logits[0] for text in texts]
    for step in range(6):
        places = [length + step for length in lengths]
        ids = torch.stack([text[0, place] for text, place in zip(texts, places, strict=True)])
        logits = _step(model, ids, state)
        for slot, place in enumerate(places):
            assert _off(logits[slot], expected[slot][place]) < TOLERANCE


def test_an_idle_slot_stands_still(model: LanguageModel) -> None:
    """A slot that takes no part in a step keeps its length."""
    state = model.new_state(2, 8)
    active = torch.tensor([1, 0], dtype=torch.int32)
    model.decode(torch.tensor([5, 0]), state, active, torch.empty(2, VOCABULARY))
    assert state.lengths.tolist() == [1, 0]


def test_embeddings_in_place_of_tokens(model: LanguageModel, reference: Any) -> None:
    """Features that stand where a token would are read like its embedding."""
    embeds = model.embed(_tokens(1, 9)).clone()
    embeds[0, 3:6] = torch.randn(3, embeds.shape[-1], generator=torch.Generator().manual_seed(3))
    expected = reference(inputs_embeds=embeds, use_cache=False).logits
    assert _off(model.prefill(embeds, model.new_state(1, 9), 0, keep=9), expected) < TOLERANCE


@pytest.mark.parametrize("taken", [1, 4, 7])
def test_a_traced_piece_is_taken_in_as_far_as_asked(model: LanguageModel, reference: Any, taken: int) -> None:
    """A trace gives the logits, leaves the state, and moves it on by some of the tokens later."""
    ids = _tokens(1, LENGTH)
    expected = reference(ids, use_cache=False).logits
    state = model.new_state(1, LENGTH)
    _read(model, ids[:, :10], state)
    before = (state.ssm.clone(), state.conv.clone(), state.lengths.clone())
    trace = Trace(10)
    wrong = torch.cat([ids[:, 10 : 10 + taken], (ids[:, 10 + taken : 17] + 1) % VOCABULARY], dim=1)
    logits = model.prefill(model.embed(wrong), state, 10, keep=7, trace=trace)
    assert _off(logits[:, :taken], expected[:, 10 : 10 + taken]) < TOLERANCE
    for buffer, kept in zip((state.ssm, state.conv, state.lengths), before, strict=True):
        assert torch.equal(buffer, kept)
    model.take_in(trace, taken, state)
    rest = _read(model, ids[:, 10 + taken :], state, 10 + taken)
    assert _off(rest, expected[:, 10 + taken :]) < TOLERANCE


def test_small_time_steps_are_not_clamped(model: LanguageModel, reference: Any) -> None:
    """The tiny model has a head whose steps lie below transformers' clamp: with it, the logits would differ."""
    ids = _tokens(1, LENGTH)
    mixers = [module for module in reference.modules() if hasattr(module, "time_step_limit")]
    try:
        for mixer in mixers:
            mixer.time_step_limit = (0.001, float("inf"))
        clamped = reference(ids, use_cache=False).logits
    finally:
        for mixer in mixers:
            mixer.time_step_limit = (0.0, float("inf"))
    assert _off(_read(model, ids, model.new_state(1, LENGTH)), clamped) > 10 * TOLERANCE


def test_the_state_is_float32_in_a_model_of_16_bits(
    checkpoint_model_bf16: LanguageModel, reference: Any
) -> None:
    """In bfloat16 the recurrent state stays float32, and the logits stay near those of float32."""
    ids = _tokens(1, LENGTH)
    state = checkpoint_model_bf16.new_state(1, LENGTH)
    assert (state.ssm.dtype, state.keys.dtype) == (torch.float32, torch.bfloat16)
    expected = reference(ids, use_cache=False).logits
    found = _read(checkpoint_model_bf16, ids, state)
    assert found.dtype == torch.float32
    assert (found - expected).norm() / expected.norm() < 0.03
