"""Drawn pages: shown as they were kept, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ragvl.errors import IndexWriteError
from ragvl.indexers.store import rendered
from ragvl.indexers.store.rendered import check_rendered, keep_rendered, load_rendered, sweep_rendered

_SHA256 = "cd" * 32


def test_an_image_comes_back(tmp_path: Path) -> None:
    """For its document, page and resolution, and for no other."""
    keep_rendered(tmp_path, _SHA256, 1, 110, b"image")
    assert load_rendered(tmp_path, _SHA256, 1, 110) == b"image"
    for other in (("ef" * 32, 1, 110), (_SHA256, 11, 110), (_SHA256, 1, 11)):
        assert load_rendered(tmp_path, *other) is None


def test_a_damaged_image_is_not_shown(tmp_path: Path) -> None:
    """It is named by the check and drawn again when needed; then the new one is shown."""
    keep_rendered(tmp_path, _SHA256, 1, 110, b"image")
    (path,) = (tmp_path / rendered.FOLDER).iterdir()
    path.write_bytes(b"imagf")
    assert load_rendered(tmp_path, _SHA256, 1, 110) is None
    assert [damage.file for damage in check_rendered(tmp_path)] == [f"pages/{path.name}"]
    keep_rendered(tmp_path, _SHA256, 1, 110, b"image")
    assert load_rendered(tmp_path, _SHA256, 1, 110) == b"image"
    assert not list(check_rendered(tmp_path))


def test_the_oldest_images_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder stays under its cap."""
    monkeypatch.setattr(rendered, "_CAP_BYTES", 250)
    for page in range(1, 6):
        keep_rendered(tmp_path, _SHA256, page, 110, bytes([page]) * 100)
        for path in (tmp_path / rendered.FOLDER).glob(f"{_SHA256}-{page}-*"):
            os.utime(path, ns=(page, page))
    kept = [page for page in range(1, 6) if load_rendered(tmp_path, _SHA256, page, 110)]
    assert kept == [4, 5]


def test_a_full_disk_costs_only_the_keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Showing a page never fails for want of space, nor when another process makes room at the same time."""

    def fail(*arguments: object) -> str:
        raise IndexWriteError("full")

    with monkeypatch.context() as patched:
        patched.setattr(rendered, "write_durably", fail)
        keep_rendered(tmp_path, _SHA256, 1, 110, b"image")

    def vanish(folder: Path) -> None:
        raise FileNotFoundError(folder)

    monkeypatch.setattr(rendered, "_trim", vanish)
    keep_rendered(tmp_path, _SHA256, 1, 110, b"image")
    assert load_rendered(tmp_path, _SHA256, 1, 110) == b"image"


def test_half_an_image_is_no_damage(tmp_path: Path) -> None:
    """What a killed process left is passed over by the check, and swept by the next writer."""
    keep_rendered(tmp_path, _SHA256, 1, 110, b"image")
    (path,) = (tmp_path / rendered.FOLDER).iterdir()
    path.with_name(f"{path.name}.0a1b2c3d.part").write_bytes(b"ima")
    assert not list(check_rendered(tmp_path))
    sweep_rendered(tmp_path)
    assert list((tmp_path / rendered.FOLDER).iterdir()) == [path]
