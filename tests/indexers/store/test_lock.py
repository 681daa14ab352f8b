"""One writer at a time."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ragvl.errors import IndexLockedError, IndexWriteError
from ragvl.indexers.store import lock
from ragvl.indexers.store.lock import LOCK_FILE, WriterLock

_HOLD = """
import sys
from pathlib import Path
from ragvl.indexers.store.lock import WriterLock
held = WriterLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_writer_is_refused_at_once(tmp_path: Path) -> None:
    """The error names the holder, in well under a second."""
    with WriterLock(tmp_path):
        began = time.monotonic()
        with pytest.raises(IndexLockedError, match=f"process {os.getpid()}.*Searching works"):
            WriterLock(tmp_path)
        assert time.monotonic() - began < 1
    assert (tmp_path / LOCK_FILE).read_bytes() == b""
    WriterLock(tmp_path).release()


def test_a_killed_writer_holds_nothing(tmp_path: Path) -> None:
    """The kernel gives the lock back, whatever the file still says."""
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(IndexLockedError, match=f"process {holder.pid}"):
            WriterLock(tmp_path)
        holder.send_signal(signal.SIGKILL)
    assert (tmp_path / LOCK_FILE).read_text() == f"process {holder.pid}"
    WriterLock(tmp_path).release()


def test_releasing_again_is_harmless(tmp_path: Path) -> None:
    """A lock may be released twice."""
    held = WriterLock(tmp_path)
    held.release()
    held.release()


def test_a_full_disk_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder's name is a courtesy: the lock is held without it."""

    def fail(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(lock.os, "pwrite", fail)
    with WriterLock(tmp_path), pytest.raises(IndexLockedError, match="another process"):
        WriterLock(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """No lock file, no writer."""
    with pytest.raises(IndexWriteError, match=r"gone/writer\.lock"):
        WriterLock(tmp_path / "gone")


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing without the lock would not be safe."""

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock.fcntl, "flock", fail)
    with pytest.raises(IndexWriteError, match="cannot lock"):
        WriterLock(tmp_path)
