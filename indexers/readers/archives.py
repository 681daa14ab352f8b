"""ZIP-based formats: how much they would unpack to, before anything unpacks them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ragvl.errors import ReadError
from ragvl.types import DocumentStatus

_MAX_MEMBERS = 100_000
_MAX_RATIO = 300  # text compresses by ten, a bomb by a thousand
_FREE_BYTES = 64 * 1024 * 1024  # whatever the ratio


def check_archive(path: Path, max_bytes: int) -> None:
    """
    Refuse a ZIP file that would unpack to too much; any other file passes.

    The sizes are those that the archive declares, which Python's and LibreOffice's readers hold it to.

    Raises:
        ReadError: TOO_LARGE, or CORRUPT for an archive whose directory cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise ReadError(DocumentStatus.CORRUPT, f"not a readable ZIP container: {error}") from None
    total = sum(member.file_size for member in members)
    packed = max(path.stat().st_size, 1)
    if total > max_bytes or (total > _FREE_BYTES and total > _MAX_RATIO * packed):
        raise ReadError(
            DocumentStatus.TOO_LARGE,
            f"{packed / 1e6:.1f} MB would unpack to {total / 1e6:.0f} MB (at most {max_bytes / 1e6:.0f} MB)",
        )
    if len(members) > _MAX_MEMBERS:
        raise ReadError(
            DocumentStatus.TOO_LARGE, f"{len(members)} parts in one file (at most {_MAX_MEMBERS})"
        )
