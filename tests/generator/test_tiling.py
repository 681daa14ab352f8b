"""How pictures are cut into tiles."""

from __future__ import annotations

import pytest

from ragvl.generator.tiling import tile_count, tile_grid


@pytest.mark.parametrize(
    ("width", "height", "most", "tiles"),
    [
        (512, 384, 12, 13),
        (512, 306, 12, 7),
        (512, 512, 12, 1),
        (220, 512, 12, 11),
        (386, 512, 12, 13),
        (481, 202, 12, 11),
        (481, 202, 2, 3),
        (481, 202, 4, 3),
        (481, 202, 8, 3),
        (1178, 1779, 12, 7),
        (1178, 1779, 8, 7),
        (1178, 1779, 4, 3),
    ],
)
def test_tiles_of_the_released_processor(width: int, height: int, most: int, tiles: int) -> None:
    """The numbers of tiles that were measured on the released image processor, the thumbnail included."""
    assert tile_count(tile_grid(width, height, most)) == tiles


def test_grids_are_as_wide_as_the_picture() -> None:
    """Wide pictures get more tiles across; of grids of one shape the picture's size decides."""
    assert tile_grid(1920, 1080, 12) == (4, 2)
    assert tile_grid(1080, 1920, 12) == (2, 4)
    assert tile_grid(700, 700, 12) == (1, 1)
    assert tile_grid(800, 800, 12) == (2, 2)
    assert tile_grid(4000, 4000, 12) == (3, 3)
    assert tile_grid(1, 5000, 12) == (1, 12)


def test_a_grid_of_one_has_no_thumbnail() -> None:
    """It would be the same picture twice; and a checkpoint may have none at all."""
    assert tile_count((1, 1)) == 1
    assert tile_count((2, 3)) == 7
    assert tile_count((2, 3), thumbnail=False) == 6


def test_nothing_to_cut() -> None:
    """Pictures without pixels and grids without tiles are refused."""
    with pytest.raises(ValueError, match="0 x 5 pixels"):
        tile_grid(0, 5, 12)
    with pytest.raises(ValueError, match="max_tiles"):
        tile_grid(5, 5, 0)
