"""The forms in which lanes keep their entries: how these are gathered, written, copied, checked and loaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ragvl.errors import IndexDamagedError
from ragvl.indexers.store import contents
from ragvl.indexers.store.files import write_durably
from ragvl.indexers.store.segments import (
    Owners,
    SegmentRecord,
    VectorTable,
    load_segment,
    read_segment,
)
from ragvl.protocols import FloatArray

SEGMENTS_FOLDER = "segments"

Dead = Sequence[tuple[int, int]]  # ranges of ids, as `contents.tombstones` gives them
SegmentFile = tuple[SegmentRecord, FileIO | OSError]


@dataclass(frozen=True, slots=True)
class SegmentDraft:
    """A segment that was written and has no id yet; see `SegmentRecord`."""

    file: str
    sha256: str
    size_bytes: int
    entries: int


class LaneView(Protocol):
    """One lane in one generation, loaded: all its sound segments, and what was wrong with the others."""

    @property
    def generation(self) -> int:
        """Whose state this is."""

    @property
    def segment_ids(self) -> frozenset[int]:
        """All segments of that generation, the damaged ones too."""

    @property
    def damaged(self) -> tuple[str, ...]:
        """What is wrong, a segment each."""


class Pending(Protocol):
    """Entries of one lane that are gathered to be written as one segment."""

    def __len__(self) -> int:
        """How many."""

    def adopt(self, folder: Path, record: SegmentRecord, dead: Dead) -> None:
        """
        Take the living entries of a segment that is about to go.

        Raises:
            IndexDamagedError: it is damaged.
        """

    def write(self, folder: Path) -> SegmentDraft:
        """
        Write the segment.

        Raises:
            IndexWriteError: the disk is full or failing.
        """


class LaneForm(Protocol):
    """How a lane is kept."""

    @property
    def name(self) -> str:
        """Of the lane."""

    @property
    def merged_below(self) -> tuple[int, ...]:
        """Sizes in entries that part the classes of like segments; those of the last size and more stay as they are."""

    def pending(self) -> Pending:
        """Begin to gather entries."""

    def ids(self, folder: Path, record: SegmentRecord) -> NDArray[np.int64]:
        """
        Ids of a segment's entries.

        Raises:
            IndexDamagedError: the segment is damaged.
        """

    def check(self, segment: SegmentFile) -> Owners:
        """
        Check every byte of a segment, and tell whose its entries are.

        Raises:
            IndexDamagedError: the segment is damaged.
        """

    def load(
        self,
        known: LaneView | None,
        segments: Sequence[SegmentFile],
        generation: int,
        segment_ids: frozenset[int],
        dead: Dead,
    ) -> LaneView:
        """
        Load a generation.

        Args:
            known: a view of an earlier generation whose segments are all still there, or None.
            segments: those that are not in `known`, open.
            generation, segment_ids, dead: of the generation.
        """


@dataclass(frozen=True, slots=True)
class Vectors:
    """A lane of one vector an entry: all sound segments in one table, and which rows are alive."""

    generation: int
    table: VectorTable
    alive: NDArray[np.bool_]
    segment_ids: frozenset[int]
    damaged: tuple[str, ...]


class PendingVectors:
    """Vectors that are gathered to be written as one segment."""

    def __init__(self, lane: str, dimension: int) -> None:
        self._lane = lane
        self._table = VectorTable(dimension)

    def __len__(self) -> int:
        return len(self._table)

    def add(self, vectors: FloatArray, owners: Owners) -> None:
        """Add (n, dimension) float32 vectors with their (n, 3) owners."""
        self._table.add(vectors, owners)

    def adopt(self, folder: Path, record: SegmentRecord, dead: Dead) -> None:
        """Take the living vectors of a segment, bit for bit."""
        old = load_segment(folder, record)
        self._table.extend(old, ~contents.is_dead(old.owners[:, 0], dead))

    def write(self, folder: Path) -> SegmentDraft:
        """Write the segment."""
        content = self._table.to_bytes()
        file = new_segment_file(self._lane)
        digest = write_durably(folder / file, [content])
        return SegmentDraft(file, digest, len(content), len(self._table))


@dataclass(frozen=True, slots=True)
class VectorForm:
    """A lane of one vector an entry, in FAISS; segments below each of these sizes are merged with their like."""

    name: str
    dimension: int
    merged_below: tuple[int, ...]

    def pending(self) -> PendingVectors:
        """Begin to gather vectors."""
        return PendingVectors(self.name, self.dimension)

    def ids(self, folder: Path, record: SegmentRecord) -> NDArray[np.int64]:
        """Ids of a segment's entries."""
        return load_segment(folder, record).owners[:, 0]

    def check(self, segment: SegmentFile) -> Owners:
        """Check every byte of a segment, and tell whose its vectors are."""
        record, file = segment
        return read_segment(file, record).owners

    def load(
        self,
        known: LaneView | None,
        segments: Sequence[SegmentFile],
        generation: int,
        segment_ids: frozenset[int],
        dead: Dead,
    ) -> Vectors:
        """Load a generation; see `LaneForm.load`."""
        damaged: list[str] = []
        if isinstance(known, Vectors) and not segments:
            table = known.table
        else:
            # Readers of the other generation may be searching the known table: never change it in place.
            table = VectorTable(self.dimension)
            if isinstance(known, Vectors):
                table.extend(known.table)
            for record, file in segments:
                try:
                    table.extend(read_segment(file, record))
                except IndexDamagedError as error:
                    damaged.append(str(error))
        alive = ~contents.is_dead(table.owners[:, 0], dead)
        return Vectors(generation, table, alive, segment_ids, tuple(damaged))


def new_segment_file(lane: str) -> str:
    """A name for a segment; random, for a crashed batch may have left a file of the number that comes next."""
    return f"{SEGMENTS_FOLDER}/{lane}/{os.urandom(8).hex()}.seg"
