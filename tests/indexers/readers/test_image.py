"""Pictures as documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from ragvl.errors import ReadError
from ragvl.indexers.readers.image import ImageReader
from ragvl.types import DocumentStatus, TextSource
from tests.hostile import image_bomb

_LIMIT = 40_000_000


def test_a_picture_is_one_page_in_points(tmp_path: Path) -> None:
    """Its resolution, where it is told, gives its size on paper."""
    Image.new("RGB", (600, 300), "white").save(tmp_path / "a.png", dpi=(300, 300))
    with ImageReader().open(tmp_path / "a.png", password=None, max_pixels=_LIMIT) as document:
        page = document.read_page(1)
        assert document.page_count == 1
        assert (round(page.width_pt), round(page.height_pt)) == (144, 72)
        assert TextSource.NONE is page.text_source
        assert document.render(1, 150).size == (300, 150)
        assert document.render(1, 1200).size == (600, 300)


@pytest.mark.parametrize("dpi", [None, (72, 72), (0, 0), (99_999, 99_999)])
def test_a_resolution_that_cannot_be_is_not_believed(tmp_path: Path, dpi: tuple[int, int] | None) -> None:
    """72 stands for "unknown" in most files."""
    Image.new("RGB", (300, 300)).save(tmp_path / "a.png", **({"dpi": dpi} if dpi else {}))
    with ImageReader().open(tmp_path / "a.png", password=None, max_pixels=_LIMIT) as document:
        assert round(document.read_page(1).width_pt) == 144


def test_every_frame_of_a_tiff_is_a_page(tmp_path: Path) -> None:
    """Scans of several pages come as one TIFF, of any mode."""
    frames = [
        Image.new("RGB", (100, 50), "red"),
        Image.new("1", (80, 80), 1),
        Image.new("I;16", (60, 90), 40),
    ]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with ImageReader().open(tmp_path / "a.tif", password=None, max_pixels=_LIMIT) as document:
        assert document.page_count == 3
        assert [document.render(n, 600).size for n in (1, 2, 3)] == [(100, 50), (80, 80), (60, 90)]
        assert {"RGB"} == {document.render(n, 600).mode for n in (1, 2, 3)}
        assert round(document.read_page(2).height_pt / 72 * 150) == 80


def test_of_an_animation_the_first_frame_is_read(tmp_path: Path) -> None:
    """An animation is one picture."""
    frames = [Image.new("P", (20, 20), index) for index in range(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with ImageReader().open(tmp_path / "a.gif", password=None, max_pixels=_LIMIT) as document:
        assert document.page_count == 1
        assert document.render(1, 150).size == (20, 20)


def test_a_picture_taken_sideways_is_turned(tmp_path: Path) -> None:
    """The page is as a viewer shows it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (300, 150)).save(tmp_path / "a.jpg", exif=exif)
    with ImageReader().open(tmp_path / "a.jpg", password=None, max_pixels=_LIMIT) as document:
        page = document.read_page(1)
        assert page.height_pt > page.width_pt
        assert document.render(1, 150).size == (150, 300)


def test_transparency_becomes_white(tmp_path: Path) -> None:
    """Black letters on nothing stay legible."""
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(tmp_path / "a.png")
    with ImageReader().open(tmp_path / "a.png", password=None, max_pixels=_LIMIT) as document:
        assert document.render(1, 150).getpixel((5, 5)) == (255, 255, 255)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """The message names the setting that refuses it."""
    (tmp_path / "a.png").write_bytes(image_bomb())
    with (
        pytest.raises(ReadError, match="max_pixels") as caught,
        ImageReader().open(tmp_path / "a.png", password=None, max_pixels=_LIMIT),
    ):
        pass
    assert DocumentStatus.TOO_LARGE is caught.value.status


def test_of_a_truncated_picture_the_rest_is_shown(tmp_path: Path) -> None:
    """What is there is read, and the document says that it is not whole."""
    Image.effect_noise((400, 400), 90).convert("RGB").save(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: len(content) // 2])
    with ImageReader().open(tmp_path / "a.jpg", password=None, max_pixels=_LIMIT) as document:
        assert document.render(1, 150).size == (400, 400)
        assert len(document.warnings) == 1


def test_noise_is_corrupt(tmp_path: Path) -> None:
    """A name alone makes no picture."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 100)
    with (
        pytest.raises(ReadError) as caught,
        ImageReader().open(tmp_path / "a.png", password=None, max_pixels=_LIMIT),
    ):
        pass
    assert DocumentStatus.CORRUPT is caught.value.status
