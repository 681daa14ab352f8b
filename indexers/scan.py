"""Finding documents: a stable walk over files and folders that never leaves them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".ragvlignore")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """
    A path that a walk came to.

    Attributes:
        path: absolute, as the operating system spells it.
        size_bytes, mtime_ns: of the file; 0 when it is none.
        obstacle: why it must not be read ("" for a regular file): a link out of the root, a pipe, no permission.
    """

    path: bytes
    size_bytes: int
    mtime_ns: int
    obstacle: str = ""


def scan(root: Path, exclude: Sequence[str] = ()) -> Iterator[FoundFile]:
    """
    Walk a folder, or name a single file, in the order of names.

    Hidden files and folders are left out, as is whatever `.gitignore`, `.ragvlignore` or `exclude` name in the
    syntax of gitignore. Links are not followed: one that stays inside the root is passed over, for its target is
    visited anyway; one that leads out is reported with an obstacle.

    Raises:
        FileNotFoundError: the root does not exist.
    """
    top = Path(os.path.realpath(root))
    if not top.is_dir():
        yield _look(os.fsencode(top), top.lstat())
        return
    yield from _walk(top, top, [(top, GitIgnoreSpec.from_lines(exclude))])


def stored_path(path: bytes, base: Path) -> bytes:
    """An absolute path as the index stores it: relative when inside `base`, so that both can move together."""
    prefix = os.fsencode(base) + os.sep.encode()
    return path.removeprefix(prefix)


def absolute_path(stored: bytes, base: Path) -> bytes:
    """Undo `stored_path`."""
    return os.path.join(os.fsencode(base), stored)  # noqa: PTH118 -- paths of any bytes


def display_name(stored: bytes) -> str:
    """A stored path for people: unprintable characters and bytes that are no UTF-8 are escaped."""
    text = stored.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


_Rules = list[tuple[Path, GitIgnoreSpec]]


def _walk(folder: Path, top: Path, rules: _Rules) -> Iterator[FoundFile]:
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield FoundFile(os.fsencode(folder), 0, 0, f"cannot be opened: {error.strerror}")
        return
    rules = rules + [(folder, spec) for spec in _ignore_files(folder)]
    for entry in entries:
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name.startswith(".") or _ignored(Path(entry.path), is_folder, rules):
            continue
        if is_folder:
            yield from _walk(Path(entry.path), top, rules)
        elif entry.is_symlink():
            yield from _link(entry, top)
        else:
            yield _look(os.fsencode(entry.path), entry.stat(follow_symlinks=False))


def _ignore_files(folder: Path) -> Iterator[GitIgnoreSpec]:
    for name in IGNORE_FILES:
        path = folder / name
        if path.is_file() and not path.is_symlink():
            yield GitIgnoreSpec.from_lines(path.read_text(encoding="utf-8", errors="replace").splitlines())


def _ignored(path: Path, is_folder: bool, rules: _Rules) -> bool:
    verdict = False
    for folder, spec in rules:
        name = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace")
        found = spec.check_file(name + "/" if is_folder else name).include
        if found is not None:
            verdict = found  # a deeper file speaks last, as in git
    return verdict


def _link(entry: os.DirEntry[str], top: Path) -> Iterator[FoundFile]:
    target = Path(os.path.realpath(entry.path))
    if not target.is_relative_to(top):
        yield FoundFile(
            os.fsencode(entry.path), 0, 0, "a link that leads out of the folder; it was not followed"
        )
    elif not target.exists():
        yield FoundFile(os.fsencode(entry.path), 0, 0, "a link to nothing")


def _look(path: bytes, found: os.stat_result) -> FoundFile:
    if not stat.S_ISREG(found.st_mode):
        return FoundFile(path, 0, 0, f"not a regular file ({_kind(found.st_mode)})")
    if not os.access(path, os.R_OK):
        return FoundFile(path, found.st_size, found.st_mtime_ns, "cannot be opened: permission denied")
    return FoundFile(path, found.st_size, found.st_mtime_ns)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "special")
