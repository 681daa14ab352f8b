"""Planning a sync: what to look at, what is unchanged, what is gone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ragvl.indexers import plan as plan_module
from ragvl.indexers.plan import SyncPlan, plan_sync
from ragvl.indexers.scan import FoundFile
from ragvl.indexers.store.records import FileRecord

_OLD_NS = 10**18
_SEEN_NS = _OLD_NS + 10**10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three old files."""
    for name in ("a.txt", "b.txt", "sub/c.txt"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
        os.utime(path, ns=(_OLD_NS, _OLD_NS))
    return tmp_path / "docs"


def _known(
    folder: Path, *names: str, mtime_ns: int = _OLD_NS, seen_ns: int = _SEEN_NS
) -> dict[bytes, FileRecord]:
    return {
        f"docs/{name}".encode(): FileRecord(f"docs/{name}".encode(), name, 4, mtime_ns, seen_ns, number)
        for number, name in enumerate(names, start=1)
    }


def _plan(folder: Path, known: dict[bytes, FileRecord], *roots: str, **options: frozenset[int]) -> SyncPlan:
    return plan_sync([folder / root for root in roots or (".",)], known, folder.parent, **options)


def _summary(plan: SyncPlan) -> tuple[list[str], list[str], list[str]]:
    looked_at = [Path(os.fsdecode(file.path)).name for file in plan.look_at]
    return looked_at, [file.name for file in plan.unchanged], [file.name for file in plan.gone]


def test_new_unchanged_and_gone(folder: Path) -> None:
    """Known files of the same size and time are not looked at; known files that are not there are gone."""
    plan = _plan(folder, _known(folder, "a.txt", "sub/c.txt", "old.txt"))
    assert _summary(plan) == (["b.txt"], ["a.txt", "sub/c.txt"], ["old.txt"])


@pytest.mark.parametrize(("size", "shift_ns"), [(5, 0), (4, 1), (4, -1)])
def test_another_size_or_time_is_looked_at(folder: Path, size: int, shift_ns: int) -> None:
    """In either direction: a restored backup is older."""
    (folder / "a.txt").write_text("x" * size)
    os.utime(folder / "a.txt", ns=(_OLD_NS + shift_ns, _OLD_NS + shift_ns))
    plan = _plan(folder, _known(folder, "a.txt", "b.txt", "sub/c.txt"))
    assert _summary(plan) == (["a.txt"], ["b.txt", "sub/c.txt"], [])


def test_a_file_read_right_after_it_changed_is_looked_at_again(folder: Path) -> None:
    """It may have changed once more within the grain of the clock, or its time lies in the future."""
    for seen_ns in (_OLD_NS, _OLD_NS + 10**9, _OLD_NS - 10**10):
        plan = _plan(folder, _known(folder, "a.txt", "b.txt", "sub/c.txt", seen_ns=seen_ns))
        assert _summary(plan) == (["a.txt", "b.txt", "c.txt"], [], [])


def test_documents_to_be_read_again_are_looked_at(folder: Path) -> None:
    """By document id, though the file did not change."""
    plan = _plan(folder, _known(folder, "a.txt", "b.txt", "sub/c.txt"), look_again=frozenset({2}))
    assert _summary(plan) == (["b.txt"], ["a.txt", "sub/c.txt"], [])


def test_only_what_lies_under_the_roots_can_be_gone(folder: Path) -> None:
    """Other folders of the index, and neighbours whose names begin alike, are left alone."""
    known = _known(folder, "a.txt", "b.txt", "sub/c.txt", "sub/d.txt", "sub2/e.txt", "sub")
    assert _summary(_plan(folder, known, "sub"))[2] == ["sub/d.txt", "sub"]
    assert _summary(_plan(folder, known, "a.txt"))[2] == []


def test_roots_may_overlap(folder: Path) -> None:
    """A file under two roots is looked at once."""
    assert _summary(_plan(folder, {}, ".", "sub", "sub/c.txt"))[0] == ["a.txt", "b.txt", "c.txt"]


def test_a_missing_root_takes_nothing_for_gone(folder: Path) -> None:
    """A disk that is not mounted must not empty the index."""
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        _plan(folder, _known(folder, "nowhere/x.txt"), ".", "nowhere")


def test_what_lies_in_a_closed_folder_is_not_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions that are missing today do not take documents out of the index."""

    def scan(root: Path, exclude: Sequence[str]) -> list[FoundFile]:
        return [FoundFile(os.fsencode(folder / "sub"), 0, 0, "cannot be opened", is_closed=True)]

    monkeypatch.setattr(plan_module, "scan", scan)
    plan = _plan(folder, _known(folder, "a.txt", "sub/c.txt", "sub2/e.txt"))
    assert _summary(plan) == (["sub"], [], ["a.txt", "sub2/e.txt"])


def test_what_is_excluded_leaves(folder: Path) -> None:
    """A pattern that is new takes documents out."""
    plan = plan_sync([folder], _known(folder, "a.txt", "sub/c.txt"), folder.parent, ["sub"])
    assert _summary(plan) == (["b.txt"], ["a.txt"], ["sub/c.txt"])


def test_the_root_of_all_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything lies under "/"."""
    monkeypatch.setattr(plan_module, "scan", lambda root, exclude: [])
    record = FileRecord(b"/x/a.txt", "a.txt", 4, _OLD_NS, _SEEN_NS, 1)
    assert plan_sync([Path("/")], {record.path: record}, folder).gone == (record,)
