"""What the tests of page encoders share: one checkpoint of each kind, and pages to encode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ragvl.config import ImageConfig
from ragvl.indexers.encoders.vision import MultiVectorPageEncoder, SingleVectorPageEncoder
from ragvl.protocols import PageView
from tests.indexers.encoders.vision import checkpoints

MULTI_VECTOR = ("tiny_colmodernvbert", "tiny_colqwen2", "tiny_colpali", "tiny_multi_vector")
SINGLE_VECTOR = ("tiny_single_vector", "tiny_clip")

Checkpoint = Callable[[str], Path]
Encoder = Callable[..., MultiVectorPageEncoder]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach a model hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Make a checkpoint by the name of its maker, once."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            made[name] = getattr(checkpoints, name)(tmp_path_factory.mktemp(name) / "model")
        return made[name]

    return make


@pytest.fixture(scope="session")
def encoder(checkpoint: Checkpoint) -> Callable[..., MultiVectorPageEncoder | SingleVectorPageEncoder]:
    """Open an encoder by the name of its checkpoint and settings; equal ones are the same object."""
    opened: dict[object, MultiVectorPageEncoder | SingleVectorPageEncoder] = {}

    def open_one(name: str, **settings: object) -> MultiVectorPageEncoder | SingleVectorPageEncoder:
        key = name, *sorted(settings.items())
        if key not in opened:
            kind = SingleVectorPageEncoder if name in SINGLE_VECTOR else MultiVectorPageEncoder
            config = ImageConfig.model_validate(
                {"encoder": "test", "model": str(checkpoint(name)), "device": "cpu", **settings}
            )
            opened[key] = kind(config)
        return opened[key]

    return open_one


def make_page(width_px: int, height_px: int, text: str = "", seed: int = 0) -> PageView:
    """A page of coloured squares, half as many points wide as pixels; its words stand in rows of ten, 4 pt apart."""
    chance = np.random.default_rng(seed)
    squares = chance.integers(0, 255, (height_px // 16, width_px // 16, 3), dtype=np.uint8)
    image = Image.fromarray(squares).resize((width_px, height_px), Image.Resampling.NEAREST)
    words = []
    end = 0
    for number, word in enumerate(text.split()):
        start = text.index(word, end)
        end = start + len(word)
        x, y = 12.0 * (number % 10), 4.0 * (number // 10)
        words.append((start, end, (x, y, x + 11, y + 3)))
    return PageView(image, text, words, width_px / 2, height_px / 2)


@pytest.fixture(scope="session")
def pages() -> list[PageView]:
    """A page with a little text, one with none, and one with more than a model of 512 tokens reads at once."""
    return [
        make_page(400, 528, "Revenue by quarter rose\nto 12.4 million <image> in 2025", seed=1),
        make_page(512, 256, seed=2),
        make_page(304, 400, "tide and water " * 150, seed=3),
    ]
