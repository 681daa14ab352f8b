"""The form of a lane that keeps a bag of vectors a page, for late interaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ragvl.config import TierConfig
from ragvl.errors import IndexDamagedError
from ragvl.indexers.multivector.codes import OwnedPage, PageCodes
from ragvl.indexers.multivector.segment import MultiVectorSegment
from ragvl.indexers.multivector.table import MultiVectorTable
from ragvl.indexers.multivector.writer import SegmentWriter
from ragvl.indexers.store import contents
from ragvl.indexers.store.files import write_durably
from ragvl.indexers.store.lanes import Dead, LaneView, SegmentDraft, SegmentFile, new_segment_file
from ragvl.indexers.store.segments import Owners, SegmentRecord, damaged_segment, segment_file

_MERGED_BELOW = (1_024, 8_192)  # pages; at 250 kB a page the largest segments hold 2 GB


@dataclass(frozen=True, slots=True)
class BagVectors:
    """
    A lane of a bag of vectors a page, in one generation.

    Attributes:
        table: all sound segments.
        alive: (pages,) which rows of the table are alive.
        segments: the sound ones, by id.
    """

    generation: int
    table: MultiVectorTable
    alive: NDArray[np.bool_]
    segments: dict[int, MultiVectorSegment]
    segment_ids: frozenset[int]
    damaged: tuple[str, ...]


class PendingBags:
    """Pages that are gathered to be written as one segment; those of old segments are read when they are written."""

    def __init__(self, lane: str) -> None:
        self._lane = lane
        self._pages: list[OwnedPage] = []
        self._old: list[tuple[MultiVectorSegment, NDArray[np.bool_]]] = []

    def __len__(self) -> int:
        return len(self._pages) + sum(int(keep.sum()) for _, keep in self._old)

    def add(self, codes: PageCodes, page_id: int, document_id: int) -> None:
        """Add a page."""
        self._pages.append(OwnedPage(page_id, document_id, codes))

    def adopt(self, folder: Path, record: SegmentRecord, dead: Dead) -> None:
        """Take the living pages of a segment, bit for bit."""
        segment = _load(folder, record)
        self._old.append((segment, ~contents.is_dead(_page_ids(segment), dead)))

    def write(self, folder: Path) -> SegmentDraft:
        """Write the segment: what it takes of old ones first."""
        writer = SegmentWriter()
        file = new_segment_file(self._lane)
        old = (page for segment, keep in self._old for page in segment.copies(keep))
        write_durably(folder / file, writer.chunks(chain(old, self._pages)))
        return SegmentDraft(file, writer.digest, (folder / file).stat().st_size, writer.pages)


@dataclass(frozen=True, slots=True)
class BagForm:
    """A lane of a bag of vectors a page."""

    name: str
    dimension: int
    tiers: TierConfig
    merged_below: tuple[int, ...] = _MERGED_BELOW

    def pending(self) -> PendingBags:
        """Begin to gather pages."""
        return PendingBags(self.name)

    def ids(self, folder: Path, record: SegmentRecord) -> NDArray[np.int64]:
        """Ids of a segment's pages."""
        return _page_ids(_load(folder, record))

    def check(self, segment: SegmentFile) -> Owners:
        """Check every byte of a segment, and tell whose its pages are."""
        record, file = segment
        opened = _open(file, record)
        opened.verify()
        page_ids, document_ids = opened.foot.owners.T
        return np.stack([page_ids, page_ids, document_ids], axis=1)

    def load(
        self,
        known: LaneView | None,
        segments: Sequence[SegmentFile],
        generation: int,
        segment_ids: frozenset[int],
        dead: Dead,
    ) -> BagVectors:
        """Load a generation; see `LaneForm.load`."""
        damaged: list[str] = []
        opened = dict(known.segments) if isinstance(known, BagVectors) else {}
        for record, file in segments:
            try:
                opened[record.id] = _open(file, record)
            except IndexDamagedError as error:
                damaged.append(str(error))
        table = MultiVectorTable([opened[segment_id] for segment_id in sorted(opened)], self.tiers)
        alive = ~contents.is_dead(table.owners[:, 0], dead)
        return BagVectors(generation, table, alive, opened, segment_ids, tuple(damaged))


def _load(folder: Path, record: SegmentRecord) -> MultiVectorSegment:
    with segment_file(folder, record) as file:
        return _open(file, record)


def _open(file: FileIO | OSError, record: SegmentRecord) -> MultiVectorSegment:
    if isinstance(file, OSError):
        raise damaged_segment(record, f"cannot be read ({file.strerror})") from file
    return MultiVectorSegment.open(file, record.file, record.sha256)


def _page_ids(segment: MultiVectorSegment) -> NDArray[np.int64]:
    return segment.foot.owners[:, 0]
