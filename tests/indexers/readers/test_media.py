"""What kind of file a path holds."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from ragvl import registry
from ragvl.errors import ReadError
from ragvl.indexers.readers.media import READERS, UNKNOWN, media_type_of
from tests.hostile import docx, good_pdf


def _zip(*names: str, mimetype: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.pdf", good_pdf(), "application/pdf"),
        ("a.bin", good_pdf(), "application/pdf"),
        ("late-header.pdf", b"\n\njunk\n" + good_pdf(), "application/pdf"),
        ("a.pdf", b"<!DOCTYPE html><p>x", "text/html"),
        ("a.pdf", b"\xef\xbb\xbf  <HTML>", "text/html"),
        ("broken.pdf", b"\x00\x01", "application/pdf"),
        ("a.txt", b"<html> is a tag", "text/plain"),
        ("a.MD", b"# x", "text/markdown"),
        ("a.csv", b"a,b", "text/csv"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("a", b"MM\x00*", "image/tiff"),
        ("a.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        ("a.zip", docx(), next(kind for kind in READERS if kind.endswith("wordprocessingml.document"))),
        ("a", _zip("ppt/presentation.xml"), next(k for k in READERS if "presentationml" in k)),
        ("a", _zip("xl/workbook.xml"), next(k for k in READERS if "spreadsheetml" in k)),
        ("a", _zip("x", mimetype="application/epub+zip"), "application/epub+zip"),
        (
            "a.odt",
            _zip("x", mimetype="application/vnd.oasis.opendocument.text"),
            next(k for k in READERS if k.endswith("opendocument.text")),
        ),
        ("a.cbz", _zip("1.jpg"), "application/vnd.comicbook+zip"),
        ("a.zip", _zip("1.jpg"), UNKNOWN),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/vnd.ms-excel"),
        ("a.xyz", b"hello", UNKNOWN),
        ("damaged.docx", b"PK\x03\x04 nonsense", next(k for k in READERS if "wordprocessing" in k)),
    ],
)
def test_content_decides_before_the_name(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    """Magic bytes and the members of ZIP files say what a file is; its name only where they do not."""
    path = tmp_path / name
    path.write_bytes(content)
    assert expected == media_type_of(path)


def test_a_pipe_is_named_and_never_opened(tmp_path: Path) -> None:
    """Opening a pipe without a writer would block for ever."""
    os.mkfifo(tmp_path / "pipe.pdf")
    assert media_type_of(tmp_path / "pipe.pdf") == "inode/fifo"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Who resolves a link decides whether its target may be read."""
    (tmp_path / "link.pdf").symlink_to(tmp_path / "target.pdf")
    assert media_type_of(tmp_path / "link.pdf") == "inode/symlink"
    assert media_type_of(tmp_path) == "inode/directory"


def test_an_absent_file_is_a_read_error(tmp_path: Path) -> None:
    """A file that vanished since it was found is one document's failure."""
    with pytest.raises(ReadError, match="No such file"):
        media_type_of(tmp_path / "gone.pdf")


def test_every_media_type_has_a_registered_reader() -> None:
    """The table names readers that the registry knows."""
    assert set(READERS.values()) <= set(registry.names("reader"))
