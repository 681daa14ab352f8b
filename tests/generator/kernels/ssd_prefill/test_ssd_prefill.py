"""The scan: its PyTorch twin against float64, and the function that the model calls."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ragvl.generator.kernels.ssd_prefill import ssd_prefill, walk
from ragvl.generator.kernels.ssd_prefill.reference import ssd_prefill as reference
from ragvl.generator.kernels.ssd_prefill.sizes import parts_of
from ragvl.generator.kernels.ssd_prefill.tuning import is_fused
from tests.generator.kernels.mamba import LARGE, NARROW, SINGLE, SMALL, Layer, relative

LIMIT = 1e-6


def assert_right(arguments: dict[str, torch.Tensor], limit: float = LIMIT, **options: object) -> None:
    """Compare outputs, final state and snapshots with float64; outputs go to poisoned memory."""
    x = arguments["x"]
    out = torch.full(x.shape, float("nan"), dtype=x.dtype)
    y, final, taken = ssd_prefill(**arguments, **options, out=out)
    expected = reference(**arguments, **options)
    assert y is out
    assert relative(y, expected[0]) <= limit
    assert relative(final, expected[1]) <= limit
    assert (taken is None) == (expected[2] is None)
    if taken is not None and expected[2] is not None:
        assert relative(taken, expected[2]) <= limit


@pytest.mark.parametrize("length", [1, 3, 31, 32, 33, 63, 64, 65, 127, 200])
@pytest.mark.parametrize("layer", [SMALL, SINGLE, NARROW], ids=str)
def test_twin_is_right(layer: Layer, length: int) -> None:
    """Two sequences, from zeros and from a state, read in place between NaN."""
    arguments = layer.scan(length, batch=2)
    assert_right(arguments)
    assert_right(arguments, initial_state=layer.state(2))


def test_twin_is_right_at_the_width_of_the_model() -> None:
    """Heads of 80 in eight groups with 128 states."""
    assert_right(LARGE.scan(100), initial_state=LARGE.state())


@pytest.mark.slow
@pytest.mark.parametrize("layer", [LARGE, SMALL, SINGLE, NARROW], ids=str)
def test_twin_is_right_over_a_thousand_tokens(layer: Layer) -> None:
    """Rounding does not add up with the chunks."""
    assert_right(layer.scan(1000), initial_state=layer.state())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Triton has wheels for Linux only")
def test_kernels_are_right_at_every_size() -> None:
    """The whole grid of lengths, layers and dtypes, of which CI interprets a few."""
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            Path(__file__).with_name("in_interpreter.py"),
        ],
        env={**os.environ, "TRITON_INTERPRET": "1", "RAGVL_TEST_EVERY_SIZE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_twin_in_double_precision_is_exact() -> None:
    """The algorithm itself loses nothing."""
    layer = replace(SMALL, dtype=torch.float64)
    arguments = layer.scan(100)
    y, final, _ = ssd_prefill(**arguments, initial_state=layer.state())
    expected = reference(**arguments, initial_state=layer.state())
    assert relative(y, expected[0]) <= 1e-12
    assert relative(final, expected[1]) <= 1e-12


@pytest.mark.parametrize(("dtype", "limit"), [(torch.bfloat16, 6e-3), (torch.float16, 1e-3)], ids=str)
def test_short_inputs_are_rounded_once(dtype: torch.dtype, limit: float) -> None:
    """Inputs of 16 bits are widened, outputs rounded; the state keeps float32's digits."""
    layer = replace(SMALL, dtype=dtype)
    arguments = layer.scan(70)
    y, final, _ = ssd_prefill(**arguments)
    expected = reference(**arguments)
    assert (y.dtype, final.dtype) == (dtype, torch.float32)
    assert relative(y, expected[0]) <= limit
    assert relative(final, expected[1]) <= LIMIT


def test_split_anywhere_is_the_whole() -> None:
    """A prompt in two pieces gives the outputs and the state of the prompt in one."""
    arguments = SINGLE.scan(70)
    whole, final, _ = ssd_prefill(**arguments)
    rates = SINGLE.rates()
    for cut in range(1, 70):
        head = {name: value[:, :cut] for name, value in arguments.items() if name not in rates}
        tail = {name: value[:, cut:] for name, value in arguments.items() if name not in rates}
        first, state, _ = ssd_prefill(**head, **rates)
        second, last, _ = ssd_prefill(**tail, **rates, initial_state=state)
        assert relative(torch.cat([first, second], 1), whole) <= LIMIT, cut
        assert relative(last, final) <= LIMIT, cut


def test_states_may_be_replaced_in_place() -> None:
    """The final state goes where the initial one was."""
    arguments, state = SMALL.scan(50), SMALL.state()
    expected = ssd_prefill(**arguments, initial_state=state.clone())
    y, final, _ = ssd_prefill(**arguments, initial_state=state, final_state_out=state)
    assert final is state
    assert torch.equal(y, expected[0])
    assert torch.equal(state, expected[1])


@pytest.mark.parametrize("raw", [-40.0, 20.0, 700.0])
def test_extreme_steps(raw: float) -> None:
    """Steps of nothing keep everything; decays far below the smallest float32 forget everything; no NaN either way."""
    arguments = SMALL.scan(70)
    arguments["dt"] = torch.full_like(arguments["dt"], raw)
    assert_right(arguments, initial_state=SMALL.state())


def test_small_steps_after_a_reset_keep_their_digits() -> None:
    """A token that forgets all is followed by ones that forget little: sums in the hundreds must not blur them."""
    arguments = SMALL.scan(70)
    dt = arguments["dt"].clone()
    dt[:, ::9] = 500
    dt[:, 1::9] = -8
    assert_right({**arguments, "dt": dt}, initial_state=SMALL.state())


def test_steps_are_limited() -> None:
    """The limits hold for the step after softplus."""
    assert_right(SMALL.scan(40), dt_limit=(0.05, 0.1))


def test_skip_and_bias_are_optional() -> None:
    """None of either means zeros."""
    arguments = SMALL.scan(40)
    y, final, _ = ssd_prefill(**{**arguments, "D": None, "dt_bias": None})
    zeros = torch.zeros(SMALL.heads)
    expected = reference(**{**arguments, "D": zeros, "dt_bias": zeros})
    assert relative(y, expected[0]) <= LIMIT
    assert relative(final, expected[1]) <= LIMIT


def test_packed_sequences_are_the_separate_ones() -> None:
    """Sequences in one row do not see each other; an empty one keeps its state."""
    arguments, states = SMALL.scan(100), SMALL.state(4)
    bounds = torch.tensor([0, 40, 40, 41, 100])
    y, finals, _ = ssd_prefill(**arguments, initial_state=states, cu_seqlens=bounds)
    rates = SMALL.rates()
    for index, (start, stop) in enumerate([(0, 40), (40, 40), (40, 41), (41, 100)]):
        own = {name: value[:, start:stop] for name, value in arguments.items() if name not in rates}
        alone, final, _ = ssd_prefill(**own, **rates, initial_state=states[index : index + 1])
        assert torch.equal(y[:, start:stop], alone)
        assert torch.equal(finals[index], final[0])
    assert torch.equal(finals[1], states[1])


def test_snapshots_are_the_states_of_prefixes() -> None:
    """A snapshot is the final state of the prompt cut there, in the order asked for."""
    arguments = SMALL.scan(100, batch=2)
    assert_right(arguments, snapshot_at=[1, 32, 50, 100], initial_state=SMALL.state(2))
    _, _, taken = ssd_prefill(**arguments, snapshot_at=[])
    assert taken is not None
    assert taken.shape[1] == 0


@pytest.mark.parametrize("floats", [1, 2600, 1 << 22])
def test_blocks_of_heads_do_not_matter(monkeypatch: pytest.MonkeyPatch, floats: int) -> None:
    """One head at a time, part of a group, or all groups at once: the same outputs."""
    layer = Layer(8, 80, 2, 16)
    monkeypatch.setattr(walk, "_CACHE_FLOATS", floats)
    assert_right(layer.scan(40), initial_state=layer.state())


def test_heads_are_split_into_powers_of_two() -> None:
    """What the kernel can cut it covers; the twin covers the rest."""
    assert [parts_of(size) for size in (16, 48, 64, 80, 96, 128)] == [
        (16, 0),
        (32, 16),
        (64, 0),
        (64, 16),
        (64, 32),
        (128, 0),
    ]
    assert [parts_of(size) for size in (0, 8, 72, 112, 192)] == [None] * 5


def test_small_models_on_large_devices_are_cut_into_chunks() -> None:
    """128 heads keep the multiprocessors of an H200 busy, and of an RTX 5090; 24 do not."""
    assert is_fused(128, 132)
    assert is_fused(128, 170)
    assert not is_fused(24, 132)
    assert is_fused(24 * 4, 132)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"A": torch.zeros(3)}, r"A is \(3,\), x and B ask for \(4,\)"),
        ({"B": torch.zeros(1, 9, 3, 32)}, "4 heads cannot be shared evenly by 3 groups"),
        ({"dt": torch.zeros(1, 9, 2)}, r"dt is \(1, 9, 2\)"),
        ({"snapshot_at": [4, 4]}, r"snapshot_at \[4, 4\] must ascend"),
        ({"snapshot_at": [0]}, "must ascend from 1"),
        ({"snapshot_at": [10]}, "to 9 at most"),
        ({"snapshot_at": [3], "cu_seqlens": torch.tensor([0, 9])}, "cannot be combined with cu_seqlens"),
        ({"initial_state": torch.zeros(1, 4, 32, 80)}, "a state is"),
        ({"out": torch.zeros(1, 9, 4, 81)}, "out is"),
    ],
)
def test_wrong_arguments_are_refused(change: dict[str, object], message: str) -> None:
    """The message names the argument and what was expected of it."""
    with pytest.raises(ValueError, match=message):
        ssd_prefill(**{**SMALL.scan(9), **change})


def test_packed_sequences_come_in_one_row() -> None:
    """A batch of packed rows has no meaning."""
    with pytest.raises(ValueError, match="need a batch of 1, not 2"):
        ssd_prefill(**SMALL.scan(9, batch=2), cu_seqlens=torch.tensor([0, 9]))
