"""Segments: what is written is read, nothing damaged is ever served, copies are equal bit for bit."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import numpy as np
import pytest

from ragvl.config import TierConfig
from ragvl.errors import IndexDamagedError
from ragvl.indexers.multivector.codes import OwnedPage, PageCodes
from ragvl.indexers.multivector.segment import MultiVectorSegment
from ragvl.indexers.multivector.table import MultiVectorTable
from ragvl.indexers.multivector.writer import SegmentWriter

from .bags import TIERS, owned, pages, reopen, segment, unit, write


def arrays(codes: PageCodes) -> list[bytes]:
    """All that a page is made of."""
    parts = (codes.coarse, codes.fine.codes, codes.fine.scales, codes.tokens.codes, codes.tokens.scales)
    return [part.tobytes() for part in (*parts, codes.rest, codes.sources, codes.boxes)]


@pytest.mark.parametrize("dimension", [64, 128, 320, 384])
@pytest.mark.parametrize("count", [1, 32, 33, 70])
def test_pages_are_read_as_they_were_written(tmp_path: Path, dimension: int, count: int) -> None:
    """Every array of every page, and whose it is, in segments of any number of pages."""
    written = pages(count, dimension)
    opened = segment(tmp_path / "a.seg", written)
    opened.verify()
    assert len(opened) == count
    assert opened.foot.owners.tolist() == [[page.page_id, page.document_id] for page in written]
    for row in {0, count // 2, count - 1}:
        found = opened.page(row)
        assert (found.page_id, found.document_id) == (written[row].page_id, written[row].document_id)
        assert arrays(found.codes) == arrays(written[row].codes)


def test_bags_come_in_the_order_asked_for(tmp_path: Path) -> None:
    """Rows may be in any order; where each page's rows end is told."""
    written = pages(12)
    opened = segment(tmp_path / "a.seg", written)
    for tier in ("fine", "tokens"):
        bags = opened.bags(np.array([7, 2, 11]), tier)
        expected = [getattr(written[row].codes, tier) for row in (7, 2, 11)]
        assert bags.codes.tobytes() == b"".join(part.codes.tobytes() for part in expected)
        assert np.array_equal(bags.scales, np.concatenate([part.scales for part in expected]))
        assert bags.ends.tolist() == np.cumsum([len(part) for part in expected]).tolist()
    assert opened.bags(np.array([], dtype=np.int64), "fine").codes.shape == (0, 128)


def test_copies_are_equal_bit_for_bit(tmp_path: Path) -> None:
    """Compaction writes what indexing would have written."""
    written = pages(40)
    keep = np.random.default_rng(0).random(40) < 0.6
    opened = segment(tmp_path / "a.seg", written)
    writer = SegmentWriter()
    copied = b"".join(writer.chunks(opened.copies(keep)))
    kept = [page for page, wanted in zip(written, keep, strict=True) if wanted]
    fresh = tmp_path / "b.seg"
    assert write(fresh, kept) == writer.digest
    assert fresh.read_bytes() == copied
    assert writer.pages == keep.sum()


def test_no_flipped_bit_goes_unnoticed(tmp_path: Path) -> None:
    """Every byte of a small file, one after another: `verify` refuses it, and nothing of the page is served."""
    tiers = TierConfig(coarse_vectors=2, fine_vectors=2)
    rng = np.random.default_rng(0)
    path = tmp_path / "a.seg"
    digest = write(path, [owned(number, unit(rng, 3, 16), tiers) for number in (1, 2)])
    sound = path.read_bytes()
    query = unit(rng, 2, 16)
    expected = MultiVectorTable([reopen(path, digest)], TIERS, threads=1).search(query, 2)
    assert len(expected) == 2
    for at in range(len(sound)):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :])
        with pytest.raises(IndexDamagedError, match=r"a\.seg"):
            reopen(path, digest).verify()
        try:
            opened = reopen(path, digest)
        except IndexDamagedError:
            continue
        # Either the search never read the byte, or the segment is left out.
        assert MultiVectorTable([opened], TIERS, threads=1).search(query, 2) in (expected, [])


def cut_short(content: bytes) -> bytes:
    return content[:-1]


def emptied(content: bytes) -> bytes:
    return b""


def lengthened(content: bytes) -> bytes:
    return content + b"\0"


def lengthened_in_front(content: bytes) -> bytes:
    return content[:8] + b"\0" + content[8:]


def zeroed(content: bytes) -> bytes:
    return bytes(len(content))


@pytest.mark.parametrize("damage", [cut_short, emptied, lengthened, lengthened_in_front, zeroed])
def test_a_file_of_another_length_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """At opening; the message names the file and what to do."""
    path = tmp_path / "a.seg"
    digest = write(path, pages(3))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(IndexDamagedError, match=r"a\.seg .*verify --repair"):
        reopen(path, digest)


def test_another_segment_in_its_place_is_refused(tmp_path: Path) -> None:
    """A file that is sound but not the one that the database names."""
    path = tmp_path / "a.seg"
    digest = write(path, pages(3))
    write(path, pages(3, seed=1))
    with pytest.raises(IndexDamagedError, match="checksum"):
        reopen(path, digest)


def test_a_file_cut_after_opening_is_damaged_not_fatal(tmp_path: Path) -> None:
    """Reading past its end is an error, not the end of the process."""
    path = tmp_path / "a.seg"
    opened = segment(path, pages(3))
    os.truncate(path, 100)
    with pytest.raises(IndexDamagedError, match="shorter"):
        opened.page(2)
    with pytest.raises(IndexDamagedError):
        opened.verify()


def test_a_failing_disk_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system says is in the message."""
    opened = segment(tmp_path / "a.seg", pages(3))

    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(IndexDamagedError, match="Input/output error"):
        opened.page(0)


def open_files() -> int:
    """How many this process has; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_segments_keep_a_handle_of_their_own_and_give_it_back(tmp_path: Path) -> None:
    """The caller's file may be closed and removed; nothing stays open afterwards."""
    path = tmp_path / "a.seg"
    digest = write(path, pages(3))
    before = open_files()
    with FileIO(path) as file:
        opened = MultiVectorSegment.open(file, "a.seg", digest)
    path.unlink()
    opened.verify()
    del opened
    gc.collect()
    assert open_files() == before


def test_a_segment_needs_pages_of_one_kind() -> None:
    """None, or pages of two dimensions, are refused."""
    with pytest.raises(ValueError, match="at least one page"):
        list(SegmentWriter().chunks([]))
    rng = np.random.default_rng(0)
    mixed = [owned(1, unit(rng, 2, 64)), owned(2, unit(rng, 2, 128))]
    with pytest.raises(ValueError, match="page 2"):
        list(SegmentWriter().chunks(mixed))


def test_pages_are_taken_one_at_a_time() -> None:
    """A page's bytes are out before the next page is asked for."""
    asked = []

    def source() -> object:
        for page in pages(3):
            asked.append(page.page_id)
            yield page

    chunks = SegmentWriter().chunks(source())  # type: ignore[arg-type]
    assert next(chunks)
    for number in (1, 2, 3):
        next(chunks)
        assert asked == list(range(1, number + 1))


def test_owned_pages_hold_views_not_copies(tmp_path: Path) -> None:
    """Copying a segment decodes nothing."""
    found: OwnedPage = segment(tmp_path / "a.seg", pages(1)).page(0)
    assert not found.codes.tokens.codes.flags.owndata
