"""One decoding step: its PyTorch twin against float64, and against the operations for prompts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ragvl.generator.kernels.conv1d_prefill import conv1d_prefill
from ragvl.generator.kernels.mamba_decode import mamba_decode
from ragvl.generator.kernels.mamba_decode.reference import mamba_decode as reference
from ragvl.generator.kernels.ssd_prefill import ssd_prefill
from tests.generator.kernels.mamba import LARGE, NARROW, SINGLE, SMALL, Layer, relative

LIMIT = 1e-6


def step(layer: Layer, batch: int = 2) -> dict[str, torch.Tensor]:
    """Draw the arguments of a step of sequences at different positions; the output is poisoned."""
    xBC, dt = layer.projected(1, batch)
    return {
        "xBC": xBC[:, 0],
        "dt": dt[:, 0],
        "conv_ring": layer.random(batch, layer.channels, 4, seed=8).to(layer.dtype),
        "pos": torch.arange(5, 5 + batch, dtype=torch.int32),
        "ssm_state": layer.state(batch),
        **layer.convolution(),
        **layer.rates(),
        "out": torch.full((batch, layer.inner), float("nan"), dtype=layer.dtype),
    }


def assert_right(arguments: dict[str, torch.Tensor], limit: float, **options: tuple[float, float]) -> None:
    """Compare output, ring and state with float64."""
    out = arguments["out"]
    given = {name: value for name, value in arguments.items() if name != "out"}
    expected = reference(**given, **options)
    assert mamba_decode(**arguments, **options) is out
    found = (out, arguments["conv_ring"], arguments["ssm_state"])
    assert [relative(*pair) <= limit for pair in zip(found, expected, strict=True)] == [True] * 3


@pytest.mark.parametrize("layer", [LARGE, SMALL, SINGLE, NARROW, Layer(3, 5, 1, 7)], ids=str)
def test_twin_is_right(layer: Layer) -> None:
    """Any sizes, rows of a wider buffer."""
    assert_right(step(layer), LIMIT)


@pytest.mark.parametrize(("dtype", "limit"), [(torch.bfloat16, 6e-3), (torch.float16, 1e-3)], ids=str)
def test_short_inputs_are_rounded(dtype: torch.dtype, limit: float) -> None:
    """Inputs, ring and outputs of 16 bits; the state is float32."""
    assert_right(step(replace(SMALL, dtype=dtype)), limit)


def test_steps_are_limited() -> None:
    """The limits hold for the step after softplus."""
    assert_right(step(SMALL), LIMIT, dt_limit=(0.05, 0.1))


def test_bias_and_skip_are_optional() -> None:
    """None of each means zeros."""
    arguments = step(SMALL)
    names = ("b", "D", "dt_bias")
    zeros = {**arguments, **{name: torch.zeros_like(arguments[name]) for name in names}}
    expected, _, _ = reference(**{name: value for name, value in zeros.items() if name != "out"})
    found = mamba_decode(**{**arguments, **dict.fromkeys(names)})
    assert relative(found, expected) <= LIMIT


def test_a_step_writes_one_slot() -> None:
    """Only the slot of the position changes, and the position is not advanced."""
    arguments = step(SMALL)
    before = arguments["conv_ring"].clone()
    mamba_decode(**arguments)
    for row, position in enumerate((5, 6)):
        changed = (arguments["conv_ring"][row] != before[row]).any(0).nonzero().flatten().tolist()
        assert changed == [position % 4]
    assert arguments["pos"].tolist() == [5, 6]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 33])
def test_prompt_and_steps_are_a_longer_prompt(length: int) -> None:
    """A prompt followed by nine steps, more than twice around the ring, is the prompt of all tokens."""
    layer, steps, rates = SMALL, 9, SMALL.rates()
    xBC, dt = layer.projected(length + steps)
    weights = layer.convolution()

    def prompt(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mixed, ring = conv1d_prefill(xBC[:, :count], **weights)
        x, B, C = layer.parted(mixed)
        y, state, _ = ssd_prefill(x, dt[:, :count], rates["A"], B, C, D=rates["D"], dt_bias=rates["dt_bias"])
        return y.flatten(2), ring, state

    whole, last_ring, last_state = prompt(length + steps)
    _, ring, state = prompt(length)
    for index in range(length, length + steps):
        out = torch.empty(1, layer.inner)
        pos = torch.tensor([index], dtype=torch.int32)
        mamba_decode(xBC[:, index], dt[:, index], ring, pos, state, **weights, **rates, out=out)
        assert relative(out, whole[:, index]) <= LIMIT, index
    assert torch.equal(ring, last_ring)
    assert relative(state, last_state) <= LIMIT


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pos", torch.zeros(1, dtype=torch.int32), r"pos is \(1,\), xBC and ssm_state ask for \(2,\)"),
        ("conv_ring", torch.zeros(2, 384, 3), "conv_ring is"),
        ("xBC", torch.zeros(2, 383), "383 channels do not hold 4 heads of 80 and B and C of 32"),
        ("ssm_state", torch.zeros(4, 80, 32), "3; 2 and 4 are needed"),
    ],
)
def test_wrong_shapes_are_refused(name: str, value: torch.Tensor, message: str) -> None:
    """The message names the argument and what was expected of it."""
    with pytest.raises(ValueError, match=message):
        mamba_decode(**{**step(SMALL), name: value})
