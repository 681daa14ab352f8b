"""The Triton kernels of the scan, fused and in three parts, against float64; run by test_interpreted.py."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import torch

from ragvl.generator.kernels.ssd_prefill.reference import ssd_prefill as reference
from ragvl.generator.kernels.ssd_prefill.triton_kernel import ssd_prefill
from tests.generator.kernels.mamba import NARROW, SINGLE, SMALL, Layer, relative

LIMITS = {torch.float32: 3e-6, torch.float16: 1e-3, torch.bfloat16: 6e-3}
FORMS = pytest.mark.parametrize("fused", [True, False], ids=["fused", "parted"])
TINY = Layer(2, 80, 1, 16)
FULL = os.environ.get("RAGVL_TEST_EVERY_SIZE") == "1"
SIZES = (
    [
        (layer, length, dtype)
        for layer in (SMALL, SINGLE, NARROW)
        for length in (1, 3, 63, 64, 65, 127, 200)
        for dtype in LIMITS
    ]
    if FULL
    else [
        (TINY, 1, torch.float32),
        (SINGLE, 3, torch.float16),
        (TINY, 63, torch.float16),
        (NARROW, 64, torch.float16),
        (TINY, 65, torch.bfloat16),
        (SINGLE, 127, torch.float32),
        (TINY, 200, torch.float16),
    ]
)


def assert_right(arguments: dict[str, torch.Tensor], *, fused: bool, **options: object) -> None:
    """Compare outputs, final state and snapshots with float64; everything is written to poisoned memory."""
    x = arguments["x"]
    expected = reference(**arguments, **options)
    out = torch.full(x.shape, float("nan"), dtype=x.dtype)
    final_out = torch.full(expected[1].shape, float("nan"))
    y, final, taken = ssd_prefill(**arguments, **options, out=out, final_state_out=final_out, fused=fused)
    assert (y is out, final is final_out) == (True, True)
    assert relative(y, expected[0]) <= LIMITS[x.dtype]
    assert relative(final, expected[1]) <= 3e-6
    if taken is not None:
        assert relative(taken, expected[2]) <= 3e-6


@FORMS
@pytest.mark.parametrize(("layer", "length", "dtype"), SIZES, ids=str)
def test_kernels_are_right(layer: Layer, length: int, dtype: torch.dtype, fused: bool) -> None:
    """Two sequences from a state, read in place between NaN."""
    layer = replace(layer, dtype=dtype)
    assert_right(layer.scan(length, batch=2), fused=fused, initial_state=layer.state(2))


@FORMS
def test_states_of_the_model_are_right(fused: bool) -> None:
    """128 states, from zeros."""
    assert_right(Layer(2, 80, 2, 128).scan(40), fused=fused)


@FORMS
@pytest.mark.parametrize("raw", [-40.0, 20.0])
def test_extreme_steps(raw: float, fused: bool) -> None:
    """Steps of nothing keep everything, decays far below the smallest float32 forget everything."""
    arguments = TINY.scan(40)
    arguments["dt"] = torch.full_like(arguments["dt"], raw)
    assert_right(arguments, fused=fused, initial_state=TINY.state())


@FORMS
def test_small_steps_after_a_reset_keep_their_digits(fused: bool) -> None:
    """Tokens that forget all are followed by ones that forget little."""
    arguments = TINY.scan(40)
    dt = arguments["dt"].clone()
    dt[:, ::9] = 500
    dt[:, 1::9] = -8
    y, final, _ = ssd_prefill(**{**arguments, "dt": dt}, fused=fused)
    expected = reference(**{**arguments, "dt": dt})
    assert relative(y, expected[0]) <= 3e-5
    assert relative(final, expected[1]) <= 3e-5


@FORMS
def test_steps_are_limited(fused: bool) -> None:
    """The limits hold for the step after softplus."""
    assert_right(TINY.scan(40), fused=fused, dt_limit=(0.05, 0.1))


@FORMS
def test_packed_sequences(fused: bool) -> None:
    """Sequences in one row, one of them empty, each from its own state."""
    bounds = torch.tensor([0, 40, 40, 41, 75], dtype=torch.int32)
    assert_right(TINY.scan(75), fused=fused, initial_state=TINY.state(4), cu_seqlens=bounds)


@FORMS
def test_snapshots(fused: bool) -> None:
    """States within and at the end of a prompt, for both rows of a batch."""
    assert_right(TINY.scan(70, batch=2), fused=fused, snapshot_at=[1, 32, 70])
    assert_right(TINY.scan(40, batch=2), fused=fused, snapshot_at=[33])


@FORMS
def test_states_may_be_replaced_in_place(fused: bool) -> None:
    """The final state goes where the initial one was, into a view of a larger cache."""
    arguments, cache = TINY.scan(40), torch.full((1, 3, 2, 80, 16), float("nan"))
    state = cache[:, 1]
    state.copy_(TINY.state())
    expected = ssd_prefill(**arguments, initial_state=state.clone(), fused=fused)
    ssd_prefill(**arguments, initial_state=state, final_state_out=state, fused=fused)
    assert torch.equal(state, expected[1])
    assert bool(cache[:, ::2].isnan().all())


@FORMS
def test_skip_and_bias_are_optional(fused: bool) -> None:
    """None of either means zeros."""
    zeros = {"D": torch.zeros(2), "dt_bias": torch.zeros(2)}
    arguments = TINY.scan(20)
    y, _, _ = ssd_prefill(**{**arguments, **dict.fromkeys(zeros)}, fused=fused)
    assert relative(y, reference(**{**arguments, **zeros})[0]) <= 3e-6


def test_strides_that_no_kernel_reads_are_copied() -> None:
    """A state kept the other way round, and inputs whose last axis is not contiguous."""
    arguments = TINY.scan(20)
    turned = {name: arguments[name].mT.contiguous().mT for name in ("x", "B", "C", "dt")}
    state = TINY.state().mT.contiguous().mT
    assert_right({**arguments, **turned}, fused=True, initial_state=state)
