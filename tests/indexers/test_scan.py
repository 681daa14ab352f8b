"""Finding documents: a stable walk that never leaves its root."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from ragvl.indexers import scan as scan_module
from ragvl.indexers.scan import FoundFile, absolute_path, display_name, scan, stored_path


def _write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text", encoding="utf-8")


def _names(folder: Path, *exclude: str) -> list[str]:
    return [str(Path(os.fsdecode(file.path)).relative_to(folder)) for file in scan(folder, exclude)]


def _obstacles(folder: Path) -> dict[str, str]:
    return {Path(os.fsdecode(file.path)).name: file.obstacle for file in scan(folder) if file.obstacle}


def test_files_come_in_the_order_of_names(tmp_path: Path) -> None:
    """Folders among files, byte by byte, the same every time."""
    _write(tmp_path, "b.txt", "a/z.txt", "a/B.txt", "c/d/e.txt", "a.txt", "ä.txt")
    assert _names(tmp_path) == ["a/B.txt", "a/z.txt", "a.txt", "b.txt", "c/d/e.txt", "ä.txt"]


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    """A single file may be the root."""
    _write(tmp_path, "a.txt")
    os.utime(tmp_path / "a.txt", ns=(5, 7))
    assert list(scan(tmp_path / "a.txt")) == [FoundFile(os.fsencode(tmp_path / "a.txt"), 4, 7)]


def test_hidden_files_and_indexes_are_left_out(tmp_path: Path) -> None:
    """Nothing under a dot, and no folder that holds an index, whatever it is called."""
    _write(tmp_path, ".hidden.txt", ".git/config", ".ragvl/ragvl.db", "a.txt")
    _write(tmp_path, "my index/ragvl.db", "my index/writer.lock", "my index/pages/a.webp")
    assert _names(tmp_path) == ["a.txt"]


def test_an_index_beside_the_documents_hides_none(tmp_path: Path) -> None:
    """Only folders inside the root are passed over."""
    _write(tmp_path, "ragvl.db", "writer.lock", "a.txt")
    assert "a.txt" in _names(tmp_path)


def test_ignore_files_hold_as_in_git(tmp_path: Path) -> None:
    """A deeper file speaks last; folders are pruned; `exclude` holds from the root."""
    _write(
        tmp_path,
        "a.log",
        "keep.log",
        "build/x.txt",
        "sub/b.log",
        "sub/deep/c.log",
        "docs/build/y.txt",
        "d.tmp",
    )
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\n/build/\n")
    (tmp_path / "sub" / ".ragvlignore").write_text("!b.log\n")
    assert _names(tmp_path, "*.tmp") == ["docs/build/y.txt", "keep.log", "sub/b.log"]


def test_bad_lines_of_ignore_files_are_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As in git, the other lines hold; each bad one is told."""
    _write(tmp_path, "a.log", "a.txt")
    (tmp_path / ".gitignore").write_bytes(b"!\n\\\n[z-a]\n\xff\xfe\n*.log\n")
    assert _names(tmp_path) == ["a.txt"]
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "'!' is no pattern",
        "'\\\\' is no pattern",
        "'[z-a]' is no pattern",
    ]


@pytest.mark.parametrize("pattern", ["!", "[z-a]"])
def test_bad_patterns_of_the_caller_are_an_error(tmp_path: Path, pattern: str) -> None:
    """What was asked for cannot be done."""
    with pytest.raises(ValueError, match="not a pattern"):
        list(scan(tmp_path, [pattern]))


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    """One inside is visited once, at its target; one that leads out or nowhere is told; a circle is harmless."""
    _write(tmp_path, "root/a.txt", "outside/secret.txt")
    root = tmp_path / "root"
    (root / "again.txt").symlink_to("a.txt")
    (root / "circle").symlink_to(".")
    (root / "out.txt").symlink_to("../outside/secret.txt")
    (root / "outside").symlink_to(tmp_path / "outside")
    (root / "nowhere").symlink_to("gone")
    assert [name for name in _names(root) if name not in _obstacles(root)] == ["a.txt"]
    leads_out = "a link that leads out of the folder; it was not followed"
    assert _obstacles(root) == {"out.txt": leads_out, "outside": leads_out, "nowhere": "a link to nothing"}


def test_a_root_may_be_a_link(tmp_path: Path) -> None:
    """Its files are named where they really are."""
    _write(tmp_path, "real/a.txt")
    (tmp_path / "link").symlink_to("real")
    assert [file.path for file in scan(tmp_path / "link")] == [os.fsencode(tmp_path / "real" / "a.txt")]


def test_pipes_and_sockets_are_not_opened(tmp_path: Path) -> None:
    """They would never end."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "socket"))
    assert _obstacles(tmp_path) == {
        "pipe": "not a regular file (a pipe)",
        "socket": "not a regular file (a socket)",
    }


def test_a_folder_that_cannot_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed: what lies in it is unknown."""
    _write(tmp_path, "a.txt", "closed/b.txt")
    original = os.scandir

    def scandir(folder: Path) -> object:
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied")
        return original(folder)

    monkeypatch.setattr(scan_module.os, "scandir", scandir)
    _, closed = scan(tmp_path)
    assert closed == FoundFile(
        os.fsencode(tmp_path / "closed"), 0, 0, "cannot be opened: Permission denied", is_closed=True
    )


def test_what_goes_during_the_walk_is_passed_over(tmp_path: Path) -> None:
    """A file or folder that is deleted meanwhile ends nothing."""
    _write(tmp_path, "a.txt", "b/c.txt", "d.txt", "e.txt")
    walk = scan(tmp_path)
    first = next(walk)
    (tmp_path / "b" / "c.txt").unlink()
    (tmp_path / "b").rmdir()
    assert [first.path, *(file.path for file in walk)] == [
        os.fsencode(tmp_path / name) for name in ("a.txt", "d.txt", "e.txt")
    ]


def test_a_file_that_goes_between_listing_and_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk goes on with the next."""
    _write(tmp_path, "a.txt", "b.txt", "c.txt")
    original = scan_module._look

    def look(path: bytes, found: os.stat_result) -> FoundFile:
        if path.endswith(b"b.txt"):
            raise FileNotFoundError(path)
        return original(path, found)

    monkeypatch.setattr(scan_module, "_look", look)
    assert _names(tmp_path) == ["a.txt", "c.txt"]


def test_depth_has_no_limit(tmp_path: Path) -> None:
    """Folders in folders, deeper than Python's calls may go."""
    handle = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=handle)
        deeper = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = deeper
    os.close(os.open("a.txt", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
    os.close(handle)
    (found,) = scan(tmp_path)
    assert found.path.endswith(b"d/d/a.txt")
    # Python's own way of removing a tree goes no deeper than its calls.
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


def test_names_of_any_bytes(tmp_path: Path) -> None:
    """Names that are no UTF-8 are found, stored and shown without harm."""
    name = b"caf\xe9\x1b[2J.txt"
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_text("x")
    (found,) = scan(tmp_path)
    stored = stored_path(found.path, tmp_path)
    assert stored == name
    assert display_name(stored) == "caf\\xe9\\x1b[2J.txt"
    assert absolute_path(stored, tmp_path) == found.path


def test_stored_paths_are_relative_inside_only() -> None:
    """A neighbour whose name begins alike is outside; "/" holds everything."""
    base = Path("/home/me/docs")
    assert stored_path(b"/home/me/docs/a/b.txt", base) == b"a/b.txt"
    assert stored_path(b"/home/me/docs2/a.txt", base) == b"/home/me/docs2/a.txt"
    assert stored_path(b"/a.txt", Path("/")) == b"a.txt"
    assert absolute_path(b"/other/a.txt", base) == b"/other/a.txt"


def test_a_missing_root_is_an_error(tmp_path: Path) -> None:
    """It is not an empty folder."""
    with pytest.raises(FileNotFoundError):
        list(scan(tmp_path / "gone"))
