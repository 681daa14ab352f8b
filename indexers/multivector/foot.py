"""
The foot of a segment: what is held in memory of each page, and how to check the rest.

    head      "<4I": dimension, coarse vectors a page, words of each, pages
    owners    (pages, 2) int64: page id, document id
    counts    (pages, 2) uint32: fine vectors, tokens
    digests   (pages, 2, 8) uint8: of the two records
    blocks    uint64, the coarse vectors; see `blocks.py`

All little-endian. Where a record lies follows from the counts: records stand in the order of the pages, without gaps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.multivector.bits import BitCodes
from ragvl.indexers.multivector.blocks import BLOCK_PAGES, Blocks, to_block
from ragvl.indexers.multivector.codes import OwnedPage
from ragvl.indexers.multivector.records import DIGEST_BYTES, vector_bytes

_HEAD = struct.Struct("<4I")
_SLICE = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Foot:
    """A foot in memory; `offsets` (pages, 2) int64 say where records start, counted from the first."""

    dimension: int
    coarse_shape: tuple[int, int]  # vectors a page, words of 64 bits a vector
    owners: NDArray[np.int64]
    counts: NDArray[np.uint32]
    digests: NDArray[np.uint8]
    blocks: Blocks
    offsets: NDArray[np.int64]
    records_bytes: int

    def __len__(self) -> int:
        return len(self.owners)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        tables = (self.owners, self.counts, self.digests, self.blocks, self.offsets)
        return sum(table.nbytes for table in tables)


class FootDraft:
    """A foot that grows page by page."""

    def __init__(self) -> None:
        self._shape: tuple[int, int, int] | None = None  # dimension, coarse vectors, words of each
        self._owners, self._counts, self._digests, self._blocks = (bytearray() for _ in range(4))
        self._block: list[BitCodes] = []
        self.pages = 0

    def add(self, page: OwnedPage, digests: bytes) -> None:
        """
        Note a page and the digests of its two records.

        Raises:
            ValueError: its vectors are not as long, or its coarse ones not as many, as those of the pages before.
        """
        codes = page.codes
        shape = (codes.dimension, *codes.coarse.shape)
        if self._shape is not None and self._shape != shape:
            raise ValueError(
                f"page {page.page_id} has {shape[1]} coarse vectors of dimension {shape[0]}, "
                f"those before it have {self._shape[1]} of {self._shape[0]}"
            )
        self._shape = shape
        self._owners += np.array([page.page_id, page.document_id], dtype="<i8").tobytes()
        self._counts += np.array([len(codes.fine), len(codes.tokens)], dtype="<u4").tobytes()
        self._digests += digests
        self._block.append(codes.coarse)
        self.pages += 1
        if len(self._block) == BLOCK_PAGES:
            self._close_block()

    def chunks(self) -> Iterator[bytes]:
        """
        Yield the foot's bytes in pieces.

        Raises:
            ValueError: no page was added.
        """
        if self._shape is None:
            raise ValueError("a segment needs at least one page")
        self._close_block()
        yield _HEAD.pack(*self._shape, self.pages)
        for table in (self._owners, self._counts, self._digests, self._blocks):
            for start in range(0, len(table), _SLICE):
                yield bytes(memoryview(table)[start : start + _SLICE])

    def _close_block(self) -> None:
        if self._block:
            self._blocks += to_block(self._block).astype("<u8", copy=False).tobytes()
            self._block.clear()


def parse_foot(content: NDArray[np.uint8]) -> Foot:
    """Undo `FootDraft.chunks`; the content must have passed its checksum. The arrays are views of it."""
    dimension, vectors, words, pages = _HEAD.unpack_from(content.data)
    at = _HEAD.size
    tables = []
    for count, kind in ((2, "<i8"), (2, "<u4"), (2 * DIGEST_BYTES, "<u1"), (vectors * words, "<u8")):
        size = pages * count * np.dtype(kind).itemsize
        tables.append(content[at : at + size].view(kind).reshape(pages, count))
        at += size
    owners, counts, digests, blocks = tables
    ends = np.cumsum(counts.astype(np.int64) * np.array(vector_bytes(dimension)))
    offsets = np.concatenate([[0], ends[:-1]]).reshape(pages, 2)
    return Foot(
        dimension,
        (vectors, words),
        owners,
        counts,
        digests.reshape(pages, 2, DIGEST_BYTES),
        blocks.ravel(),
        offsets,
        int(ends[-1]),
    )
