"""Repairing: damaged segments are set aside and made again, and the results are those of before."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from ragvl.errors import IndexDamagedError, IndexMismatchError, IndexNotFoundError
from ragvl.indexers.repair import QUARANTINE_FOLDER, repair_index
from ragvl.indexers.store.rendered import keep_rendered
from ragvl.indexers.store.verify import verify_index
from ragvl.testing import HashEncoder
from tests.reliability.harness import ENCODER, open_library, open_writer, put, results

QUERIES = ("crane 7", "tide at the pier", "note 3")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Three segments, and something dead."""
    folder = tmp_path / ".ragvl"
    with open_writer(folder) as writer:
        for part in range(3):
            with writer.batch() as batch:
                for number in range(part, 12, 3):
                    put(batch, f"{number}.txt", f"note {number} of the crane", f"the tide at pier {number}")
        with writer.batch() as batch:
            batch.drop_file(b"5.txt")
    return folder


def _found(folder: Path) -> object:
    with open_library(folder) as library:
        return results(library, QUERIES)


def test_damaged_segments_are_made_again(index: Path) -> None:
    """One with a flipped bit, one lost: the same results as before; the damaged file is kept."""
    before = _found(index)
    flipped, lost, sound = sorted(index.rglob("*.seg"))
    content = flipped.read_bytes()
    flipped.write_bytes(content[:90] + bytes([content[90] ^ 1]) + content[91:])
    lost.unlink()
    assert _found(index) != before
    assert repair_index(index, ENCODER) > 0
    assert not verify_index(index).damages
    assert _found(index) == before
    assert [path.name for path in (index / QUARANTINE_FOLDER).iterdir()] == [flipped.name]
    assert sound.exists()


def test_a_repair_that_was_interrupted_is_taken_up(index: Path) -> None:
    """The segment is forgotten, its passages are not encoded yet: the next repair encodes them."""
    before = _found(index)
    damaged = min(index.rglob("*.seg"))
    damaged.write_bytes(b"")

    class Stops(HashEncoder):
        def encode_passages(self, texts: object) -> NoReturn:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        repair_index(index, Stops())
    assert verify_index(index).damages
    assert repair_index(index, ENCODER) > 0
    assert not verify_index(index).damages
    assert _found(index) == before


def test_repairing_a_sound_index_does_nothing(index: Path) -> None:
    """No passage is encoded, no file is written."""
    before = sorted(index.rglob("*"))
    assert repair_index(index, ENCODER) == 0
    assert sorted(index.rglob("*")) == before


def test_a_damaged_image_is_set_aside(index: Path) -> None:
    """A page image is drawn again when it is needed; the damaged one is kept."""
    keep_rendered(index, "ab" * 32, 1, 110, b"image")
    (image,) = (index / "pages").iterdir()
    image.write_bytes(b"imagf")
    assert repair_index(index, ENCODER) == 0
    assert not verify_index(index).damages
    assert (index / QUARANTINE_FOLDER / image.name).read_bytes() == b"imagf"


def test_a_damaged_database_is_beyond_repair(index: Path, tmp_path: Path) -> None:
    """It is said, and nothing is written; where no index is, none is made."""
    path = index / "ragvl.db"
    path.write_bytes(path.read_bytes()[:-4000])
    before = {one: one.read_bytes() for one in index.rglob("*") if one.is_file()}
    with pytest.raises(IndexDamagedError):
        repair_index(index, ENCODER)
    assert {one: one.read_bytes() for one in index.rglob("*") if one.is_file()} == before
    with pytest.raises(IndexNotFoundError):
        repair_index(tmp_path / "nowhere", ENCODER)


def test_another_encoder_repairs_nothing(index: Path) -> None:
    """Vectors of two spaces must not lie in one index."""
    min(index.rglob("*.seg")).unlink()
    with pytest.raises(IndexMismatchError, match=r"text\.fingerprint"):
        repair_index(index, HashEncoder(fingerprint="other"))
    assert verify_index(index).damages
