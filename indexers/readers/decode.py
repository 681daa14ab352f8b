"""Bytes of a text file to characters."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from ragvl.errors import ReadError
from ragvl.types import DocumentStatus

MAX_TEXT_BYTES = 16 * 1024 * 1024

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE
)


def read_text(path: Path, *, is_markup: bool = False) -> str:
    """
    Read a text file: by its byte order mark, its declaration, as UTF-8, else as Windows-1252.

    Raises:
        ReadError: TOO_LARGE, or CORRUPT for a file that is no text.
    """
    with path.open("rb") as file:
        content = file.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        limit = MAX_TEXT_BYTES // (1024 * 1024)
        raise ReadError(DocumentStatus.TOO_LARGE, f"text of more than {limit} MiB; split the file")
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    if b"\x00" in content[:4096]:
        return _without_mark(content)
    declared = _DECLARED.search(content[:2048]) if is_markup else None
    for encoding in filter(None, (declared and declared[1].decode("ascii", "ignore"), "utf-8")):
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("cp1252", "replace")


def _without_mark(content: bytes) -> str:
    """UTF-16 without a byte order mark: every second byte of Latin text is zero."""
    head = content[:4096]
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = head[start::2]
        if half.count(0) > 0.7 * len(half):
            return content.decode(encoding, "replace")
    raise ReadError(DocumentStatus.CORRUPT, "named as text, but it holds binary data")
