"""Files that are there whole, or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from ragvl.errors import IndexWriteError
from ragvl.indexers.store import files
from ragvl.indexers.store.files import make_folder, sha256_of, write_durably


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    """The content, its hash, and nothing beside it."""
    path = tmp_path / "a" / "b" / "c.seg"
    digest = write_durably(path, [b"con", b"tent"])
    assert path.read_bytes() == b"content"
    assert digest == hashlib.sha256(b"content").hexdigest() == sha256_of(path)
    assert list(path.parent.iterdir()) == [path]


def test_new_folders_are_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of each new folder is flushed in the folder above it."""
    synced: list[Path] = []
    monkeypatch.setattr(files, "sync_folder", synced.append)
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]


@pytest.mark.parametrize("failing", ["_write_synced", "sha256_of", "sync_folder"])
def test_nothing_is_left_of_a_file_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Whichever step fails, the error names the file and the folder is empty."""

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, failing, fail)
    path = tmp_path / "a.seg"
    with pytest.raises(IndexWriteError, match=r"a\.seg: No space left on device\. .*free some space"):
        write_durably(path, [b"con", b"tent"])
    assert list(tmp_path.iterdir()) == []


def test_what_the_disk_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that does not read back as it was written gets no name."""

    def write_less(path: Path, chunks: Iterable[bytes]) -> tuple[int, str]:
        content = b"".join(chunks)
        path.write_bytes(content[:-1])
        return len(content), hashlib.sha256(content).hexdigest()

    monkeypatch.setattr(files, "_write_synced", write_less)
    with pytest.raises(IndexWriteError, match="does not read back"):
        write_durably(tmp_path / "a.seg", [b"content"])
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """A folder that cannot be made is an error of writing."""
    (tmp_path / "a").write_text("")
    with pytest.raises(IndexWriteError, match=r"b\.seg"):
        write_durably(tmp_path / "a" / "b.seg", [b"content"])
