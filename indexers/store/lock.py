"""One writer at a time: a lock that the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ragvl.errors import IndexLockedError, IndexWriteError

LOCK_FILE = "writer.lock"


class WriterLock:
    """Holds `writer.lock` in an index folder; the file names the holder's process and is empty otherwise."""

    def __init__(self, folder: Path) -> None:
        """
        Take the lock at once.

        Raises:
            IndexLockedError: another process holds it.
            IndexWriteError: the folder cannot be written.
        """
        self._path = folder / LOCK_FILE
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise IndexWriteError(f"cannot write {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._handle, 64).decode("ascii", "replace").strip()
            os.close(self._handle)
            raise IndexLockedError(
                f"{folder} is being written by {holder or 'another process'}; "
                "wait until it has finished or stop it. Searching works meanwhile."
            ) from None
        except OSError as error:
            os.close(self._handle)
            raise IndexWriteError(f"cannot lock {self._path}: {error.strerror}") from error
        self._name_holder(f"process {os.getpid()}")

    def release(self) -> None:
        """Give the lock back; again is harmless."""
        if self._handle >= 0:
            self._name_holder("")
            os.close(self._handle)
            self._handle = -1

    def _name_holder(self, name: str) -> None:
        """A courtesy to whoever finds the lock taken; a full disk must not make it more."""
        with suppress(OSError):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, name.encode(), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
