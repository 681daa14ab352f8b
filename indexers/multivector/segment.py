"""Segments of pages on the disk: the foot in memory, every record checked on each read."""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from ragvl.errors import IndexDamagedError
from ragvl.indexers.multivector.blocks import page_of
from ragvl.indexers.multivector.codes import ByteCodes, OwnedPage, PageCodes, unpack_rest
from ragvl.indexers.multivector.foot import Foot, parse_foot
from ragvl.indexers.multivector.records import (
    digest_of,
    read_fine,
    read_page,
    read_rest,
    read_tokens,
    vector_bytes,
)
from ragvl.indexers.multivector.writer import MARK, TRAILER

_READ_BYTES = 1 << 24

Tier = Literal["fine", "tokens"]


@dataclass(frozen=True, slots=True, eq=False)
class Bags:
    """The vectors of some pages, page after page; `ends` (pages,) int64 say where each page's rows end."""

    codes: NDArray[np.int8]
    scales: NDArray[np.float32]
    ends: NDArray[np.int64]


class MultiVectorSegment:
    """
    One open segment; made by `open`. Safe to use from several threads.

    Records are read, not mapped into memory: a disk that fails then raises an error, where a mapping would end the process,
    and what was read counts as the system's cache, not as ours.
    """

    def __init__(self, descriptor: int, name: str, digest: str) -> None:
        self.name = name
        self._digest = digest
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)
        self.foot: Foot = self._read_foot()

    @classmethod
    def open(cls, file: FileIO, name: str, digest: str) -> Self:
        """
        Open a segment and check its foot.

        Args:
            file: open for reading; the segment keeps a handle of its own, so it may be closed.
            name: of the file, for messages.
            digest: SHA-256 of the foot, in hexadecimal, as `SegmentWriter` gave it.

        Raises:
            IndexDamagedError: the foot does not match, or cannot be read.
        """
        return cls(os.dup(file.fileno()), name, digest)

    def __len__(self) -> int:
        return len(self.foot)

    def bags(self, rows: NDArray[np.int64], tier: Tier) -> Bags:
        """
        Read the vectors of some pages, those in `rows`, in that order.

        Raises:
            IndexDamagedError: a record does not match its digest, or cannot be read.
        """
        counts = self.foot.counts[rows, 0 if tier == "fine" else 1].astype(np.int64)
        ends = np.cumsum(counts)
        codes = np.empty((int(counts.sum()), self.foot.dimension), dtype=np.int8)
        scales = np.empty(len(codes), dtype=np.float32)
        start = 0
        for row, end in zip(rows.tolist(), ends.tolist(), strict=True):
            found = self._fine(row) if tier == "fine" else self._tokens(row)[0]
            codes[start:end], scales[start:end] = found.codes, found.scales
            start = end
        return Bags(codes, scales, ends)

    def finest(self, row: int) -> tuple[ByteCodes, NDArray[np.int8]]:
        """
        Read a page's tokens with what their codes leave, see `codes.unpack_rest`.

        Raises:
            IndexDamagedError: a record does not match its digest, or cannot be read.
        """
        tokens, record = self._tokens(row)
        return tokens, unpack_rest(read_rest(record, len(tokens), self.foot.dimension), self.foot.dimension)

    def page(self, row: int) -> OwnedPage:
        """
        Read a page whole.

        Raises:
            IndexDamagedError: a record does not match its digest, or cannot be read.
        """
        foot = self.foot
        coarse = page_of(foot.blocks, row, len(foot), foot.coarse_shape)
        page_id, document_id = foot.owners[row].tolist()
        tokens, record = self._tokens(row)
        codes: PageCodes = read_page(coarse, self._fine(row), tokens, record)
        return OwnedPage(page_id, document_id, codes)

    def copies(self, keep: NDArray[np.bool_]) -> Iterator[OwnedPage]:
        """
        Yield the pages where `keep` is true, bit for bit as they were written, to be written again.

        Raises:
            IndexDamagedError: a record does not match its digest, or cannot be read.
        """
        return (self.page(row) for row in np.flatnonzero(keep).tolist())

    def verify(self) -> None:
        """
        Read the whole file and check every byte of it.

        Raises:
            IndexDamagedError: it is not what was written, or cannot be read.
        """
        self._read_foot()
        for row in range(len(self)):
            self._record(row, 0)
            self._record(row, 1)

    def _fine(self, row: int) -> ByteCodes:
        return read_fine(self._record(row, 0), int(self.foot.counts[row, 0]))

    def _tokens(self, row: int) -> tuple[ByteCodes, bytes]:
        record = self._record(row, 1)
        return read_tokens(record, int(self.foot.counts[row, 1]), self.foot.dimension), record

    def _record(self, row: int, part: int) -> bytes:
        foot = self.foot
        size = int(foot.counts[row, part]) * vector_bytes(foot.dimension)[part]
        record = self._read(len(MARK) + int(foot.offsets[row, part]), size)
        if digest_of(record) != foot.digests[row, part].tobytes():
            raise self._damaged(f"does not match its checksum at page {int(foot.owners[row, 0])}")
        return record

    def _read_foot(self) -> Foot:
        """Read and check what is not records: foot, trailer, mark, and the length of the file."""
        size = self._size()
        trailer = self._read(max(0, size - TRAILER.size), TRAILER.size)
        length, mark = TRAILER.unpack(trailer)
        start = size - TRAILER.size - length
        if mark != MARK or start < len(MARK) or self._read(0, len(MARK)) != MARK:
            raise self._damaged("is not a whole segment")
        content = np.empty(length, dtype=np.uint8)
        checksum = hashlib.sha256()
        for at in range(0, length, _READ_BYTES):
            piece = self._read(start + at, min(_READ_BYTES, length - at))
            checksum.update(piece)
            content[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
        if checksum.hexdigest() != self._digest:
            raise self._damaged("does not match its checksum")
        foot = parse_foot(content)
        if len(MARK) + foot.records_bytes != start:
            raise self._damaged("is not a whole segment")
        return foot

    def _size(self) -> int:
        try:
            return os.fstat(self._descriptor).st_size
        except OSError as error:
            raise self._damaged(f"cannot be read ({error.strerror})") from error

    def _read(self, offset: int, size: int) -> bytes:
        try:
            content = os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise self._damaged(f"cannot be read ({error.strerror})") from error
        if len(content) != size:
            raise self._damaged("is shorter than it was")
        return content

    def _damaged(self, what: str) -> IndexDamagedError:
        return IndexDamagedError(
            f"{self.name} {what}: its pages are left out of the image lane. "
            "Run `ragvl verify --repair` to make it again."
        )
