"""Whether a file is to be read as a document at all, and as what."""

from __future__ import annotations

import os
from pathlib import Path

from ragvl.errors import ReadError
from ragvl.indexers.readers.media import READERS, media_type_of
from ragvl.indexers.scan import FoundFile
from ragvl.types import DocumentStatus


def admitted_media_type(file: FoundFile, max_file_mb: int) -> str:
    """
    The media type that a file is read as.

    Raises:
        ReadError: it is not to be read; with the status that it gets.
        OSError: it cannot be opened.
    """
    if file.obstacle:
        raise ReadError(DocumentStatus.UNSUPPORTED, file.obstacle)
    if file.size_bytes > max_file_mb << 20:
        reason = f"{file.size_bytes >> 20} MiB; the limit is {max_file_mb}: raise reading.max_file_mb"
        raise ReadError(DocumentStatus.TOO_LARGE, reason)
    media_type = media_type_of(Path(os.fsdecode(file.path)))
    if media_type not in READERS:
        raise ReadError(DocumentStatus.UNSUPPORTED, f"no reader for {media_type}")
    return media_type
