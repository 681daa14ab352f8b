"""
Vector segments: immutable files that hold a FAISS index and, beside each vector, whose it is.

Layout: magic, header length (uint32), header (JSON), the FAISS index as `faiss.serialize_index` makes it, then
(n, 3) int64: passage id, page id, document id. `faiss.write_index` is never used: it reports success on a full
disk. The SHA-256 of the whole file is kept in the database and checked before a vector of it is used.
"""

from __future__ import annotations

import errno
import hashlib
import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from ragvl.errors import IndexDamagedError
from ragvl.protocols import FloatArray

_MAGIC = b"RAGVLSEG"
_HEAD = struct.Struct("<8sI")
_TOO_MANY_FILES = {errno.EMFILE, errno.ENFILE}  # this process's trouble, not the segment's

_MANY_VECTORS = 1_000_000

TEXT_LANE, IMAGE_LANE = "text", "image"

Owners = NDArray[np.int64]  # (n, 3): id of the passage (image lane: of the page), page id, document id


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """
    What the database knows of a segment.

    Attributes:
        lane: whose.
        file: relative to the index folder.
        sha256: of the whole file; of a segment of bags, of its foot, which holds the digests of the rest.
        entries: passages of the text lane, pages of the image lane.
    """

    id: int
    lane: str
    file: str
    sha256: str
    size_bytes: int
    entries: int


class VectorTable:
    """Vectors in memory, with their owners; grows by whole segments, is searched exhaustively and exactly."""

    def __init__(self, dimension: int) -> None:
        # Half precision: a component is exact to 2^-11 of itself, and needs no training that would make
        # the result depend on the order in which documents came.
        self._index: Any = faiss.IndexScalarQuantizer(
            dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self.owners: Owners = np.empty((0, 3), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.owners)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def add(self, vectors: FloatArray, owners: Owners) -> None:
        """Add (n, dimension) float32 vectors with their (n, 3) owners."""
        self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        self.owners = np.concatenate([self.owners, owners])

    def extend(self, other: VectorTable, keep: NDArray[np.bool_] | None = None) -> None:
        """Add the vectors of another table, or those where `keep` is true, bit for bit."""
        codes = faiss.vector_to_array(other._index.codes).reshape(len(other), int(other._index.code_size))
        owners = other.owners
        if keep is not None:
            codes, owners = codes[keep], owners[keep]
        self._index.add_sa_codes(np.ascontiguousarray(codes))
        self.owners = np.concatenate([self.owners, owners])

    def search(
        self, query: FloatArray, k: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        """
        Find the nearest vectors of one query.

        Args:
            query: (dimension,) float32.
            k: how many at most.
            allowed: (n,) which vectors may be found; None allows all.

        Returns:
            Inner products, best first, and the rows they belong to; ties by row.
        """
        k = min(k, len(self) if allowed is None else int(allowed.sum()))
        if k == 0:
            return np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int64)
        params = None
        if allowed is not None:
            bitmap = np.packbits(allowed, bitorder="little")
            # FAISS's stubs do not know what its Python layer adds to these constructors.
            selector = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]
            params = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        with _one_thread(len(self)):
            scores, rows = self._index.search(query[None, :], k, params=params)
        found = rows[0] >= 0  # FAISS fills empty places with -1
        scores, rows = scores[0][found], rows[0][found]
        order = np.lexsort((rows, -scores))
        return scores[order], rows[order]

    def to_bytes(self) -> bytes:
        """Serialise the table as a segment file."""
        index = faiss.serialize_index(self._index).tobytes()
        header = json.dumps(
            {"vectors": len(self), "dimension": self.dimension, "index_bytes": len(index)}
        ).encode()
        return _HEAD.pack(_MAGIC, len(header)) + header + index + self.owners.astype("<i8").tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> VectorTable:
        """Undo `to_bytes`; the content must have passed its checksum."""
        _, header_bytes = _HEAD.unpack_from(content)
        start = _HEAD.size + header_bytes
        header = json.loads(content[_HEAD.size : start])
        index = np.frombuffer(content, np.uint8, count=header["index_bytes"], offset=start)
        owners = np.frombuffer(content[start + header["index_bytes"] :], dtype="<i8")
        table = cls.__new__(cls)
        table._index = faiss.deserialize_index(index)
        table.owners = owners.reshape(header["vectors"], 3).astype(np.int64)
        return table


def open_segment(folder: Path, record: SegmentRecord) -> FileIO | OSError:
    """Open a segment's file, which can then be read even when a merge removes its name, or say why that failed."""
    try:
        return FileIO(folder / record.file)
    except OSError as error:
        if error.errno in _TOO_MANY_FILES:
            raise
        return error


@contextmanager
def segment_file(folder: Path, record: SegmentRecord) -> Iterator[FileIO | OSError]:
    """Hold a segment's file open, or what became of opening it."""
    file = open_segment(folder, record)
    try:
        yield file
    finally:
        if isinstance(file, FileIO):
            file.close()


def read_segment(file: FileIO | OSError, record: SegmentRecord) -> VectorTable:
    """
    Read an open segment, if its bytes match the checksum in the database.

    Raises:
        IndexDamagedError: they do not, or they cannot be read.
    """
    try:
        if isinstance(file, OSError):
            raise file
        content = file.readall()
    except OSError as error:
        raise damaged_segment(record, f"cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != record.sha256:
        raise damaged_segment(record, "does not match its checksum")
    return VectorTable.from_bytes(content)


@contextmanager
def _one_thread(vectors: int) -> Iterator[None]:
    """
    Search few vectors on the caller's thread: waking FAISS's others costs more than they save.

    Measured on 2 cores at 200,000 vectors: 15 ms of processor time against 40 ms. The setting is the thread's own.
    """
    if vectors > _MANY_VECTORS:
        yield
        return
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def load_segment(folder: Path, record: SegmentRecord) -> VectorTable:
    """
    Open and read a segment.

    Raises:
        IndexDamagedError: its bytes do not match the checksum in the database, or cannot be read.
    """
    with segment_file(folder, record) as file:
        return read_segment(file, record)


def damaged_segment(record: SegmentRecord, what: str) -> IndexDamagedError:
    things = "passages" if record.lane == TEXT_LANE else "pages"
    return IndexDamagedError(
        f"{record.file} {what}: {record.entries} {things} are left out of the {record.lane} lane. "
        "Run `ragvl verify --repair` to make it again."
    )
