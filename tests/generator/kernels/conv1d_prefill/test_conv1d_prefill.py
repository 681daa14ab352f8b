"""The convolution: its PyTorch twin against float64, and the function that the model calls."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from ragvl.generator.kernels.conv1d_prefill import conv1d_prefill, ring_after, torch_twin
from ragvl.generator.kernels.conv1d_prefill.reference import conv1d_prefill as reference
from tests.generator.kernels.mamba import SMALL, relative

LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 4e-3, torch.float64: 1e-14}
WEIGHTS = SMALL.convolution()


def ring(sequences: int = 1) -> torch.Tensor:
    """Draw the inputs before a prompt."""
    return SMALL.random(sequences, SMALL.channels, 4, seed=8)


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize(("length", "start"), [(1, 0), (2, 3), (3, 1), (4, 6), (5, 2), (64, 9)])
def test_twin_is_right(length: int, start: int, dtype: torch.dtype) -> None:
    """From nothing and from a ring that begins anywhere, into poisoned memory, between NaN."""
    xBC, _ = replace(SMALL, dtype=dtype).projected(length, batch=2)
    for before in (None, ring(2)):
        out = torch.full(xBC.shape, float("nan"), dtype=dtype)
        y, final = conv1d_prefill(xBC, **WEIGHTS, initial_state=before, start=start, out=out)
        expected = reference(xBC, **WEIGHTS, initial_state=before, start=start)
        assert y is out
        assert final.dtype == dtype
        assert relative(y, expected[0]) <= LIMITS[dtype]
        assert relative(final, expected[1]) <= LIMITS[dtype]


def test_long_prompts_are_done_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of four tokens give the same bits as one block."""
    xBC, _ = SMALL.projected(50)
    expected = conv1d_prefill(xBC, **WEIGHTS, initial_state=ring())
    monkeypatch.setattr(torch_twin, "_CACHE_FLOATS", 1)
    found = conv1d_prefill(xBC, **WEIGHTS, initial_state=ring())
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


def test_split_anywhere_is_the_whole() -> None:
    """A prompt in two pieces, the ring handed over in place, gives the bits of the prompt in one."""
    xBC, _ = SMALL.projected(13)
    whole, final = conv1d_prefill(xBC, **WEIGHTS, initial_state=ring(), start=5)
    for cut in range(1, 13):
        state = ring()
        first, _ = conv1d_prefill(
            xBC[:, :cut], **WEIGHTS, initial_state=state, final_state_out=state, start=5
        )
        second, last = conv1d_prefill(
            xBC[:, cut:], **WEIGHTS, initial_state=state, final_state_out=state, start=5 + cut
        )
        assert last is state
        assert torch.equal(torch.cat([first, second], 1), whole), cut
        assert torch.equal(state, final), cut


def test_an_input_is_in_the_slot_of_its_position() -> None:
    """Position t is in slot t % 4; slots that no input reached keep what was there."""
    xBC = torch.arange(1.0, 7.0).view(1, 6, 1)
    assert ring_after(xBC).flatten().tolist() == [5, 6, 3, 4]
    assert ring_after(xBC, start=3).flatten().tolist() == [6, 3, 4, 5]
    assert ring_after(xBC, count=2).flatten().tolist() == [1, 2, 0, 0]
    before = torch.tensor([[[10.0, 20.0, 30.0, 40.0]]])
    assert ring_after(xBC, count=1, start=2, before=before).flatten().tolist() == [10, 20, 1, 40]
    assert before.flatten().tolist() == [10, 20, 30, 40]


def test_packed_sequences_are_the_separate_ones() -> None:
    """Sequences in one row do not see each other; an empty one keeps its ring."""
    xBC, _ = SMALL.projected(30)
    states = ring(4)
    bounds = [0, 2, 2, 25, 30]
    y, finals = conv1d_prefill(xBC, **WEIGHTS, initial_state=states, cu_seqlens=torch.tensor(bounds), start=3)
    for index, (first, last) in enumerate(pairwise(bounds)):
        own = states[index : index + 1]
        alone, final = conv1d_prefill(xBC[:, first:last], **WEIGHTS, initial_state=own, start=3)
        assert torch.equal(y[:, first:last], alone)
        assert torch.equal(finals[index], final[0])


def test_bias_and_activation_are_optional() -> None:
    """Without them the sum is the output."""
    xBC, _ = SMALL.projected(9)
    y, _ = conv1d_prefill(xBC, WEIGHTS["w"], None, activation=None)
    expected, _ = reference(xBC, WEIGHTS["w"], None, activation=None)
    assert relative(y, expected) <= 1e-6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": torch.zeros(3, 4)}, r"w is \(3, 4\), xBC asks for \(384, 4\)"),
        ({"initial_state": torch.zeros(1, 384, 3)}, "a state is"),
        ({"activation": "gelu"}, "activation 'gelu'"),
        ({"start": -1}, "start -1 is negative"),
        ({"xBC": torch.zeros(9, 384)}, "2 axes; 3 are needed"),
        ({"xBC": torch.zeros(2, 9, 384), "cu_seqlens": torch.tensor([0, 9])}, "need a batch of 1"),
    ],
)
def test_wrong_arguments_are_refused(change: dict[str, object], message: str) -> None:
    """The message names the argument and what was expected of it."""
    with pytest.raises(ValueError, match=message):
        conv1d_prefill(**{"xBC": torch.zeros(1, 9, 384), **WEIGHTS, **change})
