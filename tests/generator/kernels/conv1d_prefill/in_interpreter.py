"""The Triton kernel of the convolution against float64; run by test_interpreted.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ragvl.generator.kernels.conv1d_prefill.reference import conv1d_prefill as reference
from ragvl.generator.kernels.conv1d_prefill.triton_kernel import conv1d_prefill
from tests.generator.kernels.mamba import SINGLE, SMALL, Layer, relative

LIMITS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 6e-3}
WIDE = Layer(8, 64, 1, 64)  # more channels than a tile


def assert_right(xBC: torch.Tensor, layer: Layer, **options: object) -> None:
    """Compare outputs and ring with float64; both are written to poisoned memory."""
    weights = layer.convolution()
    expected = reference(xBC, **weights, **options)
    out = torch.full(xBC.shape, float("nan"), dtype=xBC.dtype)
    ring = torch.full(expected[1].shape, float("nan"), dtype=xBC.dtype)
    conv1d_prefill(xBC, **weights, **options, out=out, final_state_out=ring)
    assert relative(out, expected[0]) <= LIMITS[xBC.dtype]
    assert relative(ring, expected[1]) <= LIMITS[xBC.dtype]


@pytest.mark.parametrize("dtype", LIMITS, ids=str)
@pytest.mark.parametrize(("length", "start"), [(1, 0), (2, 3), (3, 1), (4, 6), (16, 2), (17, 0), (40, 9)])
def test_kernel_is_right(length: int, start: int, dtype: torch.dtype) -> None:
    """Around the ends of tiles, from a ring that begins anywhere."""
    layer = replace(SINGLE, dtype=dtype)
    xBC, _ = layer.projected(length, batch=2)
    before = layer.random(2, layer.channels, 4, seed=8)
    assert_right(xBC, layer, initial_state=before.to(dtype), start=start)


def test_several_tiles_of_channels() -> None:
    """640 channels, from nothing, without activation."""
    xBC, _ = WIDE.projected(20)
    assert_right(xBC, WIDE, activation=None)


def test_packed_sequences() -> None:
    """Sequences in one row, empty and shorter than the window among them."""
    xBC, _ = SMALL.projected(45)
    bounds = torch.tensor([0, 2, 2, 40, 45], dtype=torch.int32)
    before = SMALL.random(4, SMALL.channels, 4, seed=8)
    assert_right(xBC, SMALL, initial_state=before, start=3, cu_seqlens=bounds)


def test_ring_may_be_replaced_in_place() -> None:
    """The ring is handed over piece by piece in one tensor."""
    xBC, _ = SMALL.projected(40)
    weights = SMALL.convolution()
    ring = torch.zeros(1, SMALL.channels, 4)
    expected, last = reference(xBC, **weights)
    for first, stop in ((0, 33), (33, 34), (34, 40)):
        y, _ = conv1d_prefill(
            xBC[:, first:stop], **weights, initial_state=ring, final_state_out=ring, start=first
        )
        assert relative(y, expected[:, first:stop]) <= 1e-6
    assert relative(ring, last) <= 1e-6


def test_bias_is_optional() -> None:
    """None means zeros."""
    xBC, _ = SINGLE.projected(9)
    w = SINGLE.convolution()["w"]
    assert relative(conv1d_prefill(xBC, w, None)[0], reference(xBC, w, None)[0]) <= 1e-6
