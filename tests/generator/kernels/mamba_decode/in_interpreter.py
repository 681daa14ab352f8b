"""The Triton kernel of one decoding step against float64; run by test_interpreted.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ragvl.generator.kernels.mamba_decode.reference import mamba_decode as reference
from ragvl.generator.kernels.mamba_decode.triton_kernel import mamba_decode
from tests.generator.kernels.mamba import NARROW, SINGLE, SMALL, Layer, relative

# the interpreter truncates to bfloat16 where a GPU rounds
LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 1.6e-2}
PAIR = Layer(4, 32, 2, 128)


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


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize("layer", [SINGLE, NARROW, PAIR], ids=str)
def test_kernel_is_right(layer: Layer, dtype: torch.dtype) -> None:
    """Output, ring and state; rows of a wider buffer."""
    arguments = step(replace(layer, dtype=dtype))
    expected = reference(**{name: value for name, value in arguments.items() if name != "out"})
    out = mamba_decode(**arguments)
    found = (out, arguments["conv_ring"], arguments["ssm_state"])
    assert [relative(*pair) <= LIMITS[dtype] for pair in zip(found, expected, strict=True)] == [True] * 3


def test_steps_go_around_the_ring() -> None:
    """Nine steps, more than twice around, with limits, in place."""
    arguments = step(SINGLE, batch=1)
    names = ("conv_ring", "ssm_state", "pos")
    ring, state, pos = (arguments[name].clone() for name in names)
    xBC, dt = SINGLE.projected(9)
    for index in range(9):
        now = {"xBC": xBC[:, index], "dt": dt[:, index]}
        given = {**arguments, **now, "conv_ring": ring, "ssm_state": state, "pos": pos}
        del given["out"]
        expected, ring, state = reference(**given, dt_limit=(0.05, 0.2))
        out = mamba_decode(**{**arguments, **now}, dt_limit=(0.05, 0.2))
        assert relative(out, expected) <= 1e-6, index
        pos += 1
        arguments["pos"] += 1
    assert torch.equal(arguments["conv_ring"].double(), ring)
    assert relative(arguments["ssm_state"], state) <= 1e-6


def test_bias_and_skip_are_optional() -> None:
    """None of each means zeros."""
    arguments = step(SMALL)
    names = ("b", "D", "dt_bias")
    zeros = {**arguments, **{name: torch.zeros_like(arguments[name]) for name in names}}
    expected, _, _ = reference(**{name: value for name, value in zeros.items() if name != "out"})
    assert relative(mamba_decode(**{**arguments, **dict.fromkeys(names)}), expected) <= 1e-6
