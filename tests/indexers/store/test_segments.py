"""Segments: vectors and their owners, bit for bit, or an error."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ragvl.errors import IndexDamagedError
from ragvl.indexers.store.segments import (
    SegmentRecord,
    VectorTable,
    load_segment,
    open_segment,
)
from ragvl.protocols import FloatArray

_DIMENSION = 24


def _vectors(count: int, seed: int = 0) -> FloatArray:
    found = np.random.default_rng(seed).standard_normal((count, _DIMENSION)).astype(np.float32)
    unit: FloatArray = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def _table(count: int, seed: int = 0) -> VectorTable:
    table = VectorTable(_DIMENSION)
    table.add(_vectors(count, seed), np.arange(3 * count, dtype=np.int64).reshape(count, 3))
    return table


def _record(folder: Path, content: bytes, vectors: int) -> SegmentRecord:
    (folder / "a.seg").write_bytes(content)
    return SegmentRecord(1, "text", "a.seg", hashlib.sha256(content).hexdigest(), len(content), vectors)


@pytest.mark.parametrize("count", [0, 1, 37])
def test_a_table_survives_its_file(tmp_path: Path, count: int) -> None:
    """Scores, rows and owners are the same after writing and reading."""
    table = _table(count)
    again = load_segment(tmp_path, _record(tmp_path, table.to_bytes(), count))
    assert again.to_bytes() == table.to_bytes()
    assert np.array_equal(again.owners, table.owners)
    query = _vectors(1, seed=5)[0]
    for one, other in zip(table.search(query, 10, None), again.search(query, 10, None), strict=True):
        assert np.array_equal(one, other)


def test_search_is_exact(tmp_path: Path) -> None:
    """The scores are those of a plain product, within half precision, best first."""
    vectors = _vectors(50)
    query = _vectors(1, seed=3)[0]
    scores, rows = _table(50).search(query, 50, None)
    assert sorted(rows.tolist()) == list(range(50))
    assert np.allclose(scores, (vectors @ query)[rows], atol=2e-3)
    assert (np.diff(scores) <= 0).all()


def test_equal_scores_are_in_the_order_of_rows() -> None:
    """The same vector twice is found twice, the earlier row first."""
    table = VectorTable(_DIMENSION)
    table.add(np.repeat(_vectors(1), 4, axis=0), np.zeros((4, 3), dtype=np.int64))
    assert table.search(_vectors(1)[0], 4, None)[1].tolist() == [0, 1, 2, 3]


def test_only_allowed_rows_are_found() -> None:
    """A filter holds inside the search: the best allowed rows come, however many better ones are not allowed."""
    allowed = np.zeros(50, dtype=np.bool_)
    allowed[[3, 17, 40]] = True
    scores, rows = _table(50).search(_vectors(1, seed=9)[0], 10, allowed)
    assert (sorted(rows.tolist()), len(scores)) == ([3, 17, 40], 3)
    assert len(_table(50).search(_vectors(1)[0], 10, np.zeros(50, dtype=np.bool_))[1]) == 0


def test_extending_copies_bit_for_bit() -> None:
    """A merge encodes nothing anew: the codes of what is kept are those of before."""
    first, second = _table(20, seed=1), _table(30, seed=2)
    keep = np.arange(30) % 3 == 0
    merged = VectorTable(_DIMENSION)
    merged.extend(first)
    merged.extend(second, keep)
    merged.extend(VectorTable(_DIMENSION))
    assert np.array_equal(merged.owners, np.concatenate([first.owners, second.owners[keep]]))
    query = _vectors(1, seed=7)[0]
    scores, rows = second.search(query, 30, keep)
    in_merged = dict(zip(*reversed(merged.search(query, 30, None)), strict=True))
    places = {row: 20 + place for place, row in enumerate(np.flatnonzero(keep).tolist())}
    assert all(in_merged[places[row]] == score for row, score in zip(rows.tolist(), scores, strict=True))


def test_damage_is_never_parsed(tmp_path: Path) -> None:
    """A flipped bit, a lost end or a lost file is an error that names the file and the remedy."""
    content = _table(5).to_bytes()
    record = _record(tmp_path, content, 5)
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    for damaged, what in ((bytes(flipped), "checksum"), (content[:-1], "checksum"), (b"", "checksum")):
        (tmp_path / "a.seg").write_bytes(damaged)
        with pytest.raises(IndexDamagedError, match=rf"a\.seg .*{what}.*5 passages.*verify --repair"):
            load_segment(tmp_path, record)
    (tmp_path / "a.seg").unlink()
    with pytest.raises(IndexDamagedError, match="No such file"):
        load_segment(tmp_path, record)


def test_too_many_open_files_are_not_the_segments_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process lacks must not be told as damage, nor silently leave a segment out."""

    def fail(path: object) -> None:
        raise OSError(24, "Too many open files")

    record = _record(tmp_path, _table(5).to_bytes(), 5)
    monkeypatch.setattr("ragvl.indexers.store.segments.FileIO", fail)
    with pytest.raises(OSError, match="Too many open files"):
        open_segment(tmp_path, record)
