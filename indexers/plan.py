"""Comparing a folder with the index: which files are new, changed, renamed, unchanged or gone."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragvl.indexers.scan import FoundFile, absolute_path, inside, scan, stored_path
from ragvl.indexers.store.records import FileRecord

# A file changed within this time of being read may change again without its time stamp showing it.
_CLOCK_GRAIN_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """
    What a run has to look at; contents are compared later, file by file.

    Attributes:
        look_at: files whose content may differ from what the index holds, in the order of the walk.
        unchanged: files that are as the index knows them.
        gone: files in the index, under the roots, that the walk did not come to.
    """

    look_at: tuple[FoundFile, ...]
    unchanged: tuple[FileRecord, ...]
    gone: tuple[FileRecord, ...]


def plan_sync(
    roots: Sequence[Path],
    known: Mapping[bytes, FileRecord],
    base: Path,
    exclude: Sequence[str] = (),
    look_again: frozenset[int] = frozenset(),
) -> SyncPlan:
    """
    Compare what lies under the roots with what the index knows.

    Args:
        roots: folders and files.
        known: files in the index, by stored path.
        base: the folder that stored paths are relative to.
        exclude: patterns in the syntax of gitignore.
        look_again: documents to be read again even if their files did not change.

    Raises:
        FileNotFoundError: a root does not exist; nothing is taken for gone then.
    """
    found = _found(roots, exclude)
    look_at, unchanged = [], []
    for file in found.values():
        record = known.get(stored_path(file.path, base))
        if record and record.document_id not in look_again and _same(file, record):
            unchanged.append(record)
        else:
            look_at.append(file)
    tops = [os.fsencode(os.path.realpath(root)) for root in roots]
    closed = [inside(file.path) for file in found.values() if file.is_closed]
    missing = [r for r in known.values() if _is_missing(absolute_path(r.path, base), found, tops)]
    gone = [r for r in missing if not absolute_path(r.path, base).startswith(tuple(closed))]
    return SyncPlan(tuple(look_at), tuple(unchanged), tuple(gone))


def _found(roots: Sequence[Path], exclude: Sequence[str]) -> dict[bytes, FoundFile]:
    for root in roots:
        if not root.exists():
            raise FileNotFoundError(f"{root} does not exist")
    return {file.path: file for root in roots for file in scan(root, exclude)}


def _same(file: FoundFile, record: FileRecord) -> bool:
    if file.obstacle:
        return False
    settled = record.mtime_ns < record.seen_ns - _CLOCK_GRAIN_NS
    return settled and (file.size_bytes, file.mtime_ns) == (record.size_bytes, record.mtime_ns)


def _is_missing(path: bytes, found: Mapping[bytes, FoundFile], tops: Sequence[bytes]) -> bool:
    """Whether a path lies under one of the roots, and the walk did not come to it."""
    return path not in found and any(path == top or path.startswith(inside(top)) for top in tops)


def now_ns() -> int:
    """Nanoseconds since 1970, the clock that file times are compared with."""
    return time.time_ns()
