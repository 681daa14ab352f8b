"""Finding documents: a stable walk over files and folders that never leaves them."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

logger = logging.getLogger(__name__)

IGNORE_FILES = (".gitignore", ".ragvlignore")
_INDEX_FILES = {"ragvl.db", "writer.lock"}  # a folder that has both is an index


@dataclass(frozen=True, slots=True)
class FoundFile:
    """
    A path that a walk came to.

    Attributes:
        path: absolute, as the operating system spells it.
        size_bytes, mtime_ns: of the file; 0 when it is none.
        obstacle: why it must not be read ("" for a regular file): a link out of the root, a pipe, no permission.
        is_closed: a folder that could not be opened; what lies in it is unknown, not gone.
    """

    path: bytes
    size_bytes: int
    mtime_ns: int
    obstacle: str = ""
    is_closed: bool = False


def scan(root: Path, exclude: Sequence[str] = ()) -> Iterator[FoundFile]:
    """
    Walk a folder, or name a single file, in the order of names.

    Hidden files and folders are left out, as are folders that hold an index, and whatever `.gitignore`,
    `.ragvlignore` or `exclude` name in the syntax of gitignore. Links are not followed: one that stays inside the
    root is passed over, for its target is visited anyway; one that leads out is reported with an obstacle.

    Raises:
        FileNotFoundError: the root does not exist.
        ValueError: a pattern of `exclude` is none.
    """
    top = Path(os.path.realpath(root))
    if not top.is_dir():
        yield _look(os.fsencode(top), top.lstat())
        return
    # Folders may lie deeper than Python calls may: what is left to visit is kept in a list, the next one last.
    ahead: list[FoundFile | tuple[Path, _Rules]] = [(top, [(top, _excluded(exclude))])]
    while ahead:
        one = ahead.pop()
        if isinstance(one, FoundFile):
            yield one
        else:
            ahead += reversed(list(_visit(*one, top)))


def stored_path(path: bytes, base: Path) -> bytes:
    """An absolute path as the index stores it: relative when inside `base`, so that both can move together."""
    return path.removeprefix(inside(os.fsencode(base)))


def inside(folder: bytes) -> bytes:
    """How the path of everything in a folder begins."""
    return os.path.join(folder, b"")  # noqa: PTH118 -- paths of any bytes


def absolute_path(stored: bytes, base: Path) -> bytes:
    """Undo `stored_path`."""
    return os.path.join(os.fsencode(base), stored)  # noqa: PTH118 -- paths of any bytes


def display_name(stored: bytes) -> str:
    """A stored path for people: unprintable characters and bytes that are no UTF-8 are escaped."""
    text = stored.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


_Rules = list[tuple[Path, GitIgnoreSpec]]


def _visit(folder: Path, rules: _Rules, top: Path) -> Iterator[FoundFile | tuple[Path, _Rules]]:
    """The files of a folder, and its folders with the rules that hold in them, in the order of names."""
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: os.fsencode(entry.name))
    except FileNotFoundError:
        return
    except OSError as error:
        yield FoundFile(os.fsencode(folder), 0, 0, f"cannot be opened: {error.strerror}", is_closed=True)
        return
    names = {entry.name for entry in entries}
    if folder != top and names.issuperset(_INDEX_FILES):
        return
    rules = rules + [(folder, _ignore_file(folder / name)) for name in IGNORE_FILES if name in names]
    for entry in entries:
        with suppress(FileNotFoundError):  # it went while the walk was under way
            yield from _sort(entry, rules, top)


def _sort(entry: os.DirEntry[str], rules: _Rules, top: Path) -> Iterator[FoundFile | tuple[Path, _Rules]]:
    is_folder = entry.is_dir(follow_symlinks=False)
    if entry.name.startswith(".") or _ignored(Path(entry.path), is_folder, rules):
        return
    if is_folder:
        yield Path(entry.path), rules
    elif entry.is_symlink():
        yield from _link(entry, top)
    else:
        yield _look(os.fsencode(entry.path), entry.stat(follow_symlinks=False))


def _ignore_file(path: Path) -> GitIgnoreSpec:
    """The rules of an ignore file; as in git, one that is a link or cannot be read has none, nor has a bad line."""
    if path.is_symlink() or not path.is_file():
        return GitIgnoreSpec([])
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        logger.warning("%s cannot be read: %s", path, error.strerror)
        return GitIgnoreSpec([])
    return GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line, path))


def _is_pattern(line: str, path: Path) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        logger.warning("%s: %r is no pattern", path, line)
        return False
    return True


def _excluded(patterns: Sequence[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(patterns)
    except (ValueError, re.error) as error:
        raise ValueError(f"not a pattern in the syntax of gitignore: {error}") from None


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
