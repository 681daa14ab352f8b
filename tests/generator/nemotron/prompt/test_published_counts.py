"""
Prompts are as long as is published for the real model.

The published lengths are of TensorRT-LLM's tests: 282 tokens for one picture of one tile, 550 for two, 2202 for a video
of 8 frames, 4381 for two. The real tokenizer is not at hand: the stand-in holds the words of the prompts as one token
each. The texts of the questions are documented for the first case; for the others, they are the ones that fit, and so
are the frames' times, of which five have two digits before the point.
"""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from ragvl.generator.nemotron.prompt.encoder import PromptEncoder
from ragvl.generator.nemotron.prompt.template import Part
from ragvl.generator.nemotron.settings import read_config
from ragvl.generator.nemotron.video.clip import Video
from ragvl.generator.nemotron.vision.model import VisionModel
from ragvl.generator.nemotron.vision.pictures import PictureEncoder
from ragvl.generator.nemotron.vision.settings import read_vision_settings
from tests.generator.nemotron.prompt.stand_in import write_tokenizer
from tests.generator.nemotron.tiny import write_checkpoint

_PICTURE = Image.new("RGB", (512, 512), "navy")
_VIDEO = Video((_PICTURE,) * 8, tuple(24 * frame / 7 for frame in range(8)))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> PromptEncoder:
    """In the released sizes, tiles of 512 pixels and 256 tokens; what is seen is nothing."""
    config = read_config(write_checkpoint(write_tokenizer(tmp_path_factory.mktemp("released"))))

    def blind() -> VisionModel:
        return VisionModel(
            lambda tiles: torch.zeros(len(tiles), 1024, 2),
            lambda merged: merged,
            read_vision_settings(config),
            torch.device("cpu"),
            torch.float32,
        )

    return PromptEncoder(config, "cpu", pictures=PictureEncoder(config, "cpu", load=blind))


@pytest.mark.parametrize(
    ("parts", "tokens"),
    [
        ([_PICTURE, "Describe the natural environment in the image."], 282),
        ([_PICTURE, _PICTURE, "Describe the differences between the two images."], 550),
        ([_VIDEO, "Describe the natural environment in the video."], 2202),
        ([_VIDEO, _VIDEO, "Describe the differences between the two videos."], 4381),
    ],
)
def test_published_lengths(released: PromptEncoder, parts: list[Part], tokens: int) -> None:
    """In the released template's layout, thoughts off, no system text."""
    inputs = released.encode(parts, layout="first")
    assert len(inputs) == tokens
    assert inputs.positions is not None
    assert inputs.features is not None
    assert len(inputs.positions) == len(inputs.features)
    assert len(inputs.positions) % 256 == 0


def test_header_of_an_answer(released: PromptEncoder) -> None:
    """`<SPECIAL_10>` to `<SPECIAL_12>` are 10 to 12, as released, and an answer's header is three tokens."""
    ids = released.encode([_PICTURE, "Describe"], think=False).ids
    assert ids[:2] == (1, 10)
    assert ids[-8] == 11
    assert len(released.tokenizer.encode("<think></think>")) == 5
    assert released.markers.stop == {2, 12}


def test_a_page_of_a_document(released: PromptEncoder) -> None:
    """A page of 2:3 is 7 tiles, 1792 tokens; all else of the prompt stays as it is."""
    page = Image.new("RGB", (1178, 1779), "white")
    inputs = released.encode([page, "Describe the natural environment in the image."])
    assert len(inputs) == 282 - 256 + 1792
    assert released.pictures.token_count(1178, 1779) == 1792
