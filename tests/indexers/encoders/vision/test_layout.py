"""Where image tokens stand on a page."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ragvl.indexers.encoders.vision.layout import layout_of, tile_grid


def test_tiles_are_counted_as_the_processor_cuts_them() -> None:
    """Over many sizes, rows and columns equal those that Idefics3's own image processor returns."""
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    chance = np.random.default_rng(0)
    sizes = [
        (64, 64),
        (30, 300),
        (301, 30),
        (128, 127),
        (96, 64),
        *map(tuple, chance.integers(20, 300, (60, 2)).tolist()),
    ]
    for tile_px, longest_px in ((32, 128), (32, 96), (32, 100), (48, 48)):
        processor = Idefics3ImageProcessorPil(
            size={"longest_edge": longest_px}, max_image_size={"longest_edge": tile_px}
        )
        for width, height in sizes:
            made = processor(Image.new("RGB", (width, height)), return_row_col_info=True, return_tensors="np")
            assert tile_grid(width, height, longest_px, tile_px) == (made["rows"][0][0], made["cols"][0][0])


_PROCESSOR = SimpleNamespace(
    image_seq_len=4,
    image_processor=SimpleNamespace(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}, do_image_splitting=True
    ),
)


def test_tiles_come_row_by_row_and_then_the_whole() -> None:
    """Two by two tiles of two by two tokens each, and the global tile."""
    layout = layout_of("colmodernvbert", _PROCESSOR, 1536)
    boxes = layout.boxes({}, 0, 64, 64, 20)
    assert boxes is not None
    expected = {
        0: (0, 0, 0.25, 0.25),
        1: (0.25, 0, 0.5, 0.25),
        2: (0, 0.25, 0.25, 0.5),
        4: (0.5, 0, 0.75, 0.25),
    }
    expected |= {8: (0, 0.5, 0.25, 0.75), 16: (0, 0, 0.5, 0.5), 19: (0.5, 0.5, 1, 1)}
    for token, box in expected.items():
        assert boxes[token].tolist() == pytest.approx(box)


def test_a_count_that_does_not_fit_gives_no_boxes() -> None:
    """Rather none than wrong ones."""
    layout = layout_of("colmodernvbert", _PROCESSOR, 1536)
    assert layout.boxes({}, 0, 64, 64, 21) is None
    assert layout_of("never-heard-of", _PROCESSOR, 1536).boxes({}, 0, 64, 64, 20) is None
    assert layout_of("qwen2_vl", _PROCESSOR, 1536).boxes({}, 0, 64, 64, 20) is None  # another processor


@pytest.mark.parametrize(("side", "longest"), ((64, None), (63, 32), (4096, None), (33, 32), (1, 32)))
def test_the_wanted_size_is_kept_in_whole_tiles(side: int, longest: int | None) -> None:
    """The processor is told to enlarge pages to no more than was wanted, one tile at least."""
    settings = layout_of("colmodernvbert", _PROCESSOR, side).image_settings
    assert settings == ({} if longest is None else {"size": {"longest_edge": longest}})
