"""Features that are kept on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from ragvl.generator.nemotron.vision.features import FeatureCache

_KEYS = [f"{number:064x}" for number in range(5)]


def _features(seed: int = 0) -> torch.Tensor:
    return torch.randn(64, 128, generator=torch.Generator().manual_seed(seed))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _error(found: torch.Tensor, features: torch.Tensor) -> float:
    return float((found.float() - features).norm() / features.norm())


@pytest.mark.parametrize(("precision", "low", "high"), [("bfloat16", 0.001, 0.002), ("float8", 0.02, 0.03)])
def test_what_is_kept_is_found(tmp_path: Path, precision: str, low: float, high: float) -> None:
    """In another process too, with the error that the documentation states, and as it was first returned."""
    cache = FeatureCache(tmp_path / "deep" / "features", precision=precision)  # type: ignore[arg-type]
    assert cache.load(_KEYS[0]) is None
    features = _features()
    kept = cache.keep(_KEYS[0], features)
    found = FeatureCache(tmp_path / "deep" / "features").load(_KEYS[0])
    assert found is not None
    assert torch.equal(found, kept)
    assert low < _error(found, features) < high
    assert cache.load(_KEYS[1]) is None


def test_zeros_and_outliers_in_8_bits(tmp_path: Path) -> None:
    """Each token has its own scale: a large one does not blur the others, and zeros stay zeros."""
    features = _features()
    features[3] *= 1e5
    features[4] = 0
    found = FeatureCache(tmp_path, precision="float8").keep(_KEYS[0], features)
    assert _error(found[0], features[0]) < 0.04
    assert _error(found[3], features[3]) < 0.04
    assert not found[4].any()


@pytest.mark.parametrize("damage", [b"", b"\0" * 40, None])
def test_damaged_entries_are_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes | None
) -> None:
    """Emptied, overwritten, or with one bit turned: not found, named, removed, and written anew."""
    cache = FeatureCache(tmp_path)
    cache.keep(_KEYS[0], _features())
    (path,) = _files(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content) if damage is None else damage)
    assert cache.load(_KEYS[0]) is None
    assert str(path) in caplog.text
    assert _files(tmp_path) == []
    kept = cache.keep(_KEYS[0], _features())
    found = cache.load(_KEYS[0])
    assert found is not None
    assert torch.equal(found, kept)


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    """Under the cap nothing is dropped; beyond it, what was neither kept nor found for longest."""
    one = FeatureCache(tmp_path)
    one.keep(_KEYS[0], _features())
    size = _files(tmp_path)[0].stat().st_size
    cache = FeatureCache(tmp_path, max_bytes=3 * size)
    for age, key in enumerate(_KEYS[:3]):
        cache.keep(key, _features())
        (path,) = tmp_path.glob(f"{key}-*")
        os.utime(path, (1000 + age, 1000 + age))
    assert cache.load(_KEYS[0]) is not None
    cache.keep(_KEYS[3], _features())
    assert [cache.load(key) is not None for key in _KEYS] == [True, False, True, True, False]


def test_an_entry_beyond_the_cap_displaces_nothing(tmp_path: Path) -> None:
    """It is used, and not kept."""
    FeatureCache(tmp_path).keep(_KEYS[0], _features())
    cache = FeatureCache(tmp_path, max_bytes=_files(tmp_path)[0].stat().st_size)
    large = cache.keep(_KEYS[1], torch.ones(200, 128))
    assert large.shape == (200, 128)
    assert cache.load(_KEYS[0]) is not None
    assert cache.load(_KEYS[1]) is None


def test_a_disk_that_refuses_costs_only_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The features are returned, and the log says why they are not kept."""
    (tmp_path / "taken").write_text("a file where the folder should be")
    cache = FeatureCache(tmp_path / "taken" / "features")
    assert cache.keep(_KEYS[0], _features()).shape == (64, 128)
    assert "not kept" in caplog.text
    assert cache.load(_KEYS[0]) is None


def test_no_halves_are_left_and_those_of_the_dead_are_swept(tmp_path: Path) -> None:
    """Old files of a writer that died go; those of one at work stay."""
    cache = FeatureCache(tmp_path)
    dead, working = tmp_path / "x.safetensors.ab.part", tmp_path / "y.safetensors.cd.part"
    for path in (dead, working):
        path.write_bytes(b"half")
    os.utime(dead, (1000, 1000))
    cache.keep(_KEYS[0], _features())
    assert not dead.exists()
    assert working.exists()
