"""
What kind of file a path holds: by its content first, by its name where content says nothing.

Adding a kind is adding a row. Anything that is not a regular file is named, never opened.
"""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

from ragvl.errors import ReadError
from ragvl.types import DocumentStatus

UNKNOWN = "application/octet-stream"
HTML = "text/html"
PDF = "application/pdf"

_OPENXML = "application/vnd.openxmlformats-officedocument"
_DOCX = f"{_OPENXML}.wordprocessingml.document"
_PPTX = f"{_OPENXML}.presentationml.presentation"
_XLSX = f"{_OPENXML}.spreadsheetml.sheet"
_ODT = "application/vnd.oasis.opendocument.text"
_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_ODP = "application/vnd.oasis.opendocument.presentation"
_EPUB = "application/epub+zip"
_XPS = "application/oxps"
_CBZ = "application/vnd.comicbook+zip"
_SVG = "image/svg+xml"

READERS: dict[str, str] = {
    PDF: "pymupdf",
    _EPUB: "pymupdf",
    _XPS: "pymupdf",
    _CBZ: "pymupdf",
    _SVG: "pymupdf",
    "image/png": "image",
    "image/jpeg": "image",
    "image/webp": "image",
    "image/bmp": "image",
    "image/gif": "image",
    "image/tiff": "image",
    "text/plain": "text",
    "text/markdown": "text",
    "text/csv": "text",
    "text/tab-separated-values": "text",
    HTML: "text",
    _DOCX: "office",
    _PPTX: "office",
    _XLSX: "office",
    _ODT: "office",
    _ODS: "office",
    _ODP: "office",
    "application/msword": "office",
    "application/vnd.ms-powerpoint": "office",
    "application/vnd.ms-excel": "office",
    "application/rtf": "office",
}
"""Media type to the name of its reader, see `ragvl.registry`."""

_BY_SUFFIX: dict[str, str] = {
    ".pdf": PDF,
    ".epub": _EPUB,
    ".xps": _XPS,
    ".oxps": _XPS,
    ".cbz": _CBZ,
    ".svg": _SVG,
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".log": "text/plain",
    ".rst": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".docx": _DOCX,
    ".pptx": _PPTX,
    ".xlsx": _XLSX,
    ".odt": _ODT,
    ".ods": _ODS,
    ".odp": _ODP,
    ".doc": "application/msword",
    ".ppt": "application/vnd.ms-powerpoint",
    ".xls": "application/vnd.ms-excel",
    ".rtf": "application/rtf",
}

_BY_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
)

_BY_ZIP_MEMBER: tuple[tuple[str, str], ...] = (
    ("word/", _DOCX),
    ("ppt/", _PPTX),
    ("xl/", _XLSX),
    ("META-INF/container.xml", _EPUB),
    ("FixedDocSeq.fdseq", _XPS),
    ("FixedDocumentSequence.fdseq", _XPS),
)

_BY_KIND = (
    (stat.S_ISFIFO, "inode/fifo"),
    (stat.S_ISSOCK, "inode/socket"),
    (stat.S_ISBLK, "inode/blockdevice"),
    (stat.S_ISCHR, "inode/chardevice"),
    (stat.S_ISLNK, "inode/symlink"),
    (stat.S_ISDIR, "inode/directory"),
)

_ZIP = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # legacy Office: one container for all three
_HEAD_BYTES = 4096
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
_ZIP_END_BYTES = 65_557  # the end record and the longest comment
_MAX_DIRECTORY_BYTES = 8_000_000


def media_type_of(path: Path) -> str:
    """
    Media type of the file at `path`; "inode/..." for what is no regular file, `UNKNOWN` where nothing fits.

    A link is not followed: who resolves it has decided that its target may be read.

    Raises:
        ReadError: UNSUPPORTED, the file cannot be opened.
    """
    kind = _inode_kind(path)
    if kind:
        return kind
    head = _head(path)
    by_name = _BY_SUFFIX.get(path.suffix.lower(), UNKNOWN)
    return _by_content(path, head, by_name) or by_name


def suffix_of(path: Path) -> str:
    """The media type that the file's name promises, or `UNKNOWN`."""
    return _BY_SUFFIX.get(path.suffix.lower(), UNKNOWN)


def _inode_kind(path: Path) -> str:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from None
    return next((name for is_kind, name in _BY_KIND if is_kind(mode)), "")


def _head(path: Path) -> bytes:
    # The name may have become a FIFO or a link since it was looked at: never block on it, never follow it.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise _unreadable(path, error) from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ReadError(DocumentStatus.UNSUPPORTED, f"{path.name!r} is not a regular file")
        return file.read(_HEAD_BYTES)


def _unreadable(path: Path, error: OSError) -> ReadError:
    return ReadError(DocumentStatus.UNSUPPORTED, f"{path.name!r} cannot be opened: {error.strerror}")


def _by_content(path: Path, head: bytes, by_name: str) -> str:
    for magic, media_type in _BY_MAGIC:
        if head.startswith(magic):
            return media_type
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"BM") and by_name == "image/bmp":
        return by_name
    if head.startswith(_ZIP):
        return _zip_kind(path, head, by_name)
    if head.startswith(_COMPOUND):
        return by_name if READERS.get(by_name) == "office" else "application/msword"
    if by_name.startswith("text/"):
        return by_name
    # Some producers put a line or two before the header; every PDF reader looks into the first kilobyte.
    if b"%PDF-" in head[:1024]:
        return PDF
    return _markup_kind(head)


def _markup_kind(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return HTML
    if start.startswith((b"<?xml", b"<svg", b"<!doctype svg", b"<!--")):
        if b"<svg" in start:
            return _SVG
        if b"<html" in start:
            return HTML
    return ""


def _zip_kind(path: Path, head: bytes, by_name: str) -> str:
    # OpenDocument and EPUB store their media type first, uncompressed.
    if head[30:38] == b"mimetype":
        length = int.from_bytes(head[22:26], "little")
        declared = head[38 : 38 + min(length, 100)].decode("ascii", "replace").strip()
        if declared in READERS:
            return declared
    names = _member_names(path)
    if not names:
        return ""
    for member, media_type in _BY_ZIP_MEMBER:
        if any(name.startswith(member) for name in names):
            return media_type
    pictures = [name for name in names if name.lower().endswith(_IMAGE_SUFFIXES)]
    return _CBZ if by_name == _CBZ and pictures else UNKNOWN


def _member_names(path: Path) -> list[str]:
    """Names in a ZIP file, or none where its directory is damaged or hostile in size."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _ZIP_END_BYTES))
            tail = file.read()
            # This runs in the caller's process: the directory's own word on its size is checked first.
            size = int.from_bytes(tail[tail.rfind(b"PK\x05\x06") :][12:16], "little")
            if size > _MAX_DIRECTORY_BYTES:
                return []
            with zipfile.ZipFile(file) as archive:
                return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return []


def usual_suffix(media_type: str) -> str:
    """The usual suffix of a media type, with its dot; "" for one without."""
    return next((suffix for suffix, kind in _BY_SUFFIX.items() if kind == media_type), "")
