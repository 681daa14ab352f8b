"""Bags of vectors for tests, and segments made of them."""

from __future__ import annotations

from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import numpy as np

from ragvl.config import TierConfig
from ragvl.indexers.multivector.codes import OwnedPage, encode_page
from ragvl.indexers.multivector.segment import MultiVectorSegment
from ragvl.indexers.multivector.writer import SegmentWriter
from ragvl.protocols import FloatArray, PageVectors

TIERS = TierConfig(coarse_candidates=40, fine_candidates=10)
WIDTH_PT, HEIGHT_PT = 612.0, 792.0


def unit(rng: np.random.Generator, count: int, dimension: int) -> FloatArray:
    """Random vectors of unit length."""
    vectors = rng.standard_normal((count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def page_vectors(vectors: FloatArray, seed: int = 0) -> PageVectors:
    """A bag with sources and boxes."""
    rng = np.random.default_rng(seed)
    corners = rng.random((len(vectors), 2)) * (WIDTH_PT / 2, HEIGHT_PT / 2)
    boxes = np.concatenate([corners, corners + 20], axis=1).astype(np.float32)
    return PageVectors(vectors, rng.integers(0, 2, len(vectors)).astype(np.uint8), boxes)


def owned(page_id: int, vectors: FloatArray, tiers: TierConfig = TIERS) -> OwnedPage:
    """A coded page of document page_id // 10."""
    codes = encode_page(page_vectors(vectors, page_id), WIDTH_PT, HEIGHT_PT, tiers)
    return OwnedPage(page_id, page_id // 10, codes)


def pages(count: int, dimension: int = 128, seed: int = 0, tiers: TierConfig = TIERS) -> list[OwnedPage]:
    """Pages of 1 to 90 vectors."""
    rng = np.random.default_rng(seed)
    return [
        owned(number, unit(rng, int(rng.integers(1, 90)), dimension), tiers) for number in range(1, count + 1)
    ]


def write(path: Path, content: Sequence[OwnedPage]) -> str:
    """Write a segment; returns its digest."""
    writer = SegmentWriter()
    path.write_bytes(b"".join(writer.chunks(iter(content))))
    return writer.digest


def segment(path: Path, content: Sequence[OwnedPage]) -> MultiVectorSegment:
    """Write a segment and open it."""
    return reopen(path, write(path, content))


def reopen(path: Path, digest: str) -> MultiVectorSegment:
    """Open a segment that was written."""
    with FileIO(path) as file:
        return MultiVectorSegment.open(file, path.name, digest)
