"""Where a page model computes, and in which precision."""

from __future__ import annotations

import sys

import pytest
import torch

from ragvl.config import ImageConfig
from ragvl.errors import ConfigError, MissingExtraError
from ragvl.indexers.encoders.vision import MultiVectorPageEncoder
from ragvl.indexers.encoders.vision.device import choose_placement
from tests.indexers.encoders.vision.conftest import Checkpoint


def chosen(**settings: object) -> tuple[str, str, str]:
    """Device, precision and attention for some settings."""
    placement = choose_placement(ImageConfig.model_validate(settings))
    return placement.device, placement.precision, placement.attention


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with a GPU that has bfloat16, without flash-attn."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: not including_emulation
    )
    monkeypatch.setattr("ragvl.indexers.encoders.vision.device.find_spec", lambda name: None)
    return monkeypatch


def test_a_cpu_takes_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU, "auto" is the processor; what is set is kept."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert chosen() == ("cpu", "float32", "sdpa")
    assert chosen(precision="bfloat16", attention="eager") == ("cpu", "bfloat16", "eager")


def test_a_gpu_takes_half_precision(gpu: pytest.MonkeyPatch) -> None:
    """In bfloat16 where the GPU has it, else float16; with flash-attn where that is installed."""
    assert chosen() == ("cuda", "bfloat16", "sdpa")
    gpu.setattr("ragvl.indexers.encoders.vision.device.find_spec", lambda name: object())
    assert chosen(device="cuda:1") == ("cuda:1", "bfloat16", "flash_attention_2")
    assert chosen(precision="float32") == ("cuda", "float32", "sdpa")
    gpu.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert chosen() == ("cuda", "float16", "flash_attention_2")


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"device": "cuda"}, "no such device"),
        ({"device": "toaster"}, "is no device"),
        ({"attention": "flash_attention_2"}, "needs image.precision"),
    ),
)
def test_what_cannot_be_is_told(
    settings: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that is not there, one that does not exist, and attention that this precision does not have."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=message):
        chosen(**settings)


@pytest.mark.parametrize("absent", ("torch", "sentence_transformers"))
def test_a_missing_package_is_named(
    absent: str, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error holds the command that installs what page models need."""
    encoder = MultiVectorPageEncoder(ImageConfig(encoder="test", model=str(checkpoint("tiny_colqwen2"))))
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(MissingExtraError, match=r'pip install "ragvl\[vl\]"'):
        encoder.encode_queries(["tide"])
