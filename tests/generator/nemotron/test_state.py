"""What is remembered can be copied, put back, and is then the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ragvl.generator.nemotron.language.model import LanguageModel
from ragvl.generator.nemotron.snapshot import Snapshot
from tests.generator.nemotron.tiny import VOCABULARY


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def _tokens(count: int) -> torch.Tensor:
    return torch.randint(0, VOCABULARY, (1, count), generator=torch.Generator().manual_seed(2))


def _after(model: LanguageModel, ids: torch.Tensor) -> Snapshot:
    state = model.new_state(1, 40)
    model.prefill(model.embed(ids), state, 0)
    return state.snapshot(0)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 11])
def test_a_restored_prefix_goes_on_with_the_same_bits(model: LanguageModel, length: int) -> None:
    """A text read on from a snapshot, in another slot of another state, gives the same logits to the last bit."""
    ids = _tokens(24)
    state = model.new_state(1, 24)
    model.prefill(model.embed(ids[:, :length]), state, 0)
    snapshot = state.snapshot(0)
    expected = model.prefill(model.embed(ids[:, length:]), state, length, keep=24 - length)
    other = model.new_state(3, 30)
    other.ssm.fill_(7.0)
    other.conv.fill_(7.0)
    other.restore(1, snapshot)
    found = model.prefill(model.embed(ids[:, length:]), other.rows(1, 2), length, keep=24 - length)
    assert torch.equal(found, expected)
    assert other.lengths.tolist() == [0, 24, 0]


def test_a_snapshot_does_not_change_when_its_slot_goes_on(model: LanguageModel) -> None:
    """A snapshot is a copy."""
    ids = _tokens(20)
    state = model.new_state(1, 20)
    model.prefill(model.embed(ids[:, :8]), state, 0)
    snapshot, again = state.snapshot(0), state.snapshot(0)
    model.prefill(model.embed(ids[:, 8:]), state, 8)
    for name in ("keys", "values", "ssm", "conv"):
        assert torch.equal(getattr(snapshot, name), getattr(again, name))


def test_the_size_of_a_snapshot_grows_with_its_keys_and_values_only(model: LanguageModel) -> None:
    """A token costs its keys and values; the recurrent state is as large after one as after many."""
    settings = model.settings
    per_token = 2 * settings.attention_layers * settings.key_value_heads * settings.attention_head_dim * 4
    short, long = _after(model, _tokens(3)), _after(model, _tokens(13))
    assert (short.length, long.length) == (3, 13)
    assert long.nbytes - short.nbytes == 10 * per_token
    assert short.to("cpu").nbytes == short.nbytes


def test_a_reset_slot_is_as_new(model: LanguageModel) -> None:
    """After a reset, a slot reads a text as an unused one does; its neighbour is left alone."""
    ids = _tokens(9)
    state = model.new_state(2, 9)
    expected = model.prefill(model.embed(ids), state.rows(0, 1), 0)
    model.prefill(model.embed(ids[:, :4]), state.rows(1, 2), 0)
    kept = state.ssm[:, 1].clone()
    state.reset(0)
    assert state.lengths.tolist() == [0, 4]
    assert torch.equal(state.ssm[:, 1], kept)
    assert torch.equal(model.prefill(model.embed(ids), state.rows(0, 1), 0), expected)


def test_steps_are_undone(model: LanguageModel) -> None:
    """What decode steps overwrite can be saved and put back, as a graph's warm-up needs it."""
    ids = _tokens(12)
    state = model.new_state(1, 12)
    model.prefill(model.embed(ids[:, :6]), state, 0)
    saved = state.save_recurrent()
    active, logits = torch.ones(1, dtype=torch.int32), torch.empty(1, VOCABULARY)
    first = model.decode(ids[:, 6], state, active, logits).clone()
    model.decode(ids[:, 9], state, active, logits)
    state.load_recurrent(saved)
    assert torch.equal(model.decode(ids[:, 6], state, active, logits), first)


def test_a_snapshot_that_does_not_fit_is_refused(
    model: LanguageModel, checkpoint_model_bf16: LanguageModel
) -> None:
    """Too long a snapshot, or one of another precision, is refused with the numbers."""
    snapshot = _after(model, _tokens(9))
    with pytest.raises(ValueError, match="9 tokens does not fit a state of 8"):
        model.new_state(1, 8).restore(0, snapshot)
    with pytest.raises(ValueError, match=r"keys are .*float32, the state's .*bfloat16"):
        checkpoint_model_bf16.new_state(1, 16).restore(0, snapshot)


def test_sizes_out_of_range(model: LanguageModel) -> None:
    """A state without slots cannot be made."""
    with pytest.raises(ValueError, match="at least 1, not 0 and 8"):
        model.new_state(0, 8)


def test_bytes_of_a_state(model: LanguageModel) -> None:
    """The sum of the buffers, from their shapes."""
    state = model.new_state(2, 10)
    keys_values = 2 * 2 * 2 * 2 * 10 * 16 * 4
    recurrent = 3 * 2 * (4 * 16 * 16 + 128 * 4) * 4
    assert state.nbytes == keys_values + recurrent + 2 * 4
