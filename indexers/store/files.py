"""Durable files: whole, checked and named only when they are safely on the disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ragvl.errors import IndexWriteError

PART_SUFFIX = ".part"  # of a file that is being written, or was when its writer died

_CHUNK = 1 << 20


def write_durably(path: Path, chunks: Iterable[bytes]) -> str:
    """
    Write a file so that after a crash it is there whole or not at all.

    Args:
        chunks: its content, piece by piece.

    Returns:
        The SHA-256 of the content, in hexadecimal.

    Raises:
        IndexWriteError: the disk is full or failing; nothing of that name is left.
    """
    # Of its own each time: two processes may write the same file at once.
    part = path.with_name(f"{path.name}.{os.urandom(4).hex()}{PART_SUFFIX}")
    with writing(path):
        make_folder(path.parent)
        try:
            size, digest = _write_synced(part, chunks)
            # The page cache may hold what the disk refused; size and content are read back before the name is given.
            if part.stat().st_size != size or sha256_of(part) != digest:
                raise OSError(f"{part.name} does not read back as written")
            part.replace(path)
            sync_folder(path.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise
    return digest


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sha256_of(path: Path) -> str:
    """
    Hash a file's bytes, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_holding(paths: Iterable[Path], sha256: str) -> Path | None:
    """The first of some files whose content has this SHA-256, in hexadecimal; None when none has."""
    for path in paths:
        with suppress(OSError):
            if path.is_file() and sha256_of(path) == sha256:
                return path
    return None


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError` while writing `path` into an `IndexWriteError` that names it."""
    try:
        yield
    except OSError as error:
        raise IndexWriteError(
            f"cannot write {path}: {error.strerror or error}. The index is as it was before this batch; "
            "free some space or check the disk, then run the command again."
        ) from error


def _write_synced(path: Path, chunks: Iterable[bytes]) -> tuple[int, str]:
    """Write and flush a file; its size in bytes and the SHA-256 of what it should hold."""
    size, digest = 0, hashlib.sha256()
    with path.open("wb", buffering=0) as file:
        for chunk in chunks:
            size += len(chunk)
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                written = file.write(view[:_CHUNK])
                view = view[written or 0 :]
        os.fsync(file.fileno())
    return size, digest.hexdigest()
