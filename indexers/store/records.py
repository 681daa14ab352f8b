"""What the indexer hands to the store: files, and documents that have no id yet."""

from __future__ import annotations

from dataclasses import dataclass

from ragvl.indexers.passages import PageDraft
from ragvl.types import DocumentStatus


@dataclass(frozen=True, slots=True)
class FileRecord:
    """
    A file as the store knows it.

    Attributes:
        path: as the operating system spells it, absolute.
        name: for people and filters.
        size_bytes, mtime_ns: as found when its content was last read.
        seen_ns: when that was, nanoseconds since 1970.
        document_id: the document that its content is.
    """

    path: bytes
    name: str
    size_bytes: int
    mtime_ns: int
    seen_ns: int
    document_id: int


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """A document that was read, or could not be; `sha256` is "" when its content was never looked at."""

    sha256: str
    media_type: str
    title: str
    page_count: int
    status: DocumentStatus
    reason: str
    pages: tuple[PageDraft, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """What the index holds of a document's reading; `sha256` is "" when its content was never looked at."""

    sha256: str
    media_type: str
    status: DocumentStatus
    reason: str
