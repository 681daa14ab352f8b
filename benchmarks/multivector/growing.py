"""Very many pages out of some: copies of their codes, altered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ragvl.indexers.multivector.codes import ByteCodes, OwnedPage, PageCodes
from ragvl.indexers.multivector.segment import MultiVectorSegment

from .building import open_segment, write_segment

__all__ = ["grown_segments"]

_FLIPPED = 0.06  # share of the bits of a copy
_NOISE = 0.2  # of a vector's length, in a copy
_POOL = 997  # random changes that are made once; a copy takes some of them


def grown_segments(source: MultiVectorSegment, sizes: list[int], folder: Path, seed: int = 0) -> list[Path]:
    """
    Write segments of `sizes` pages, made when missing.

    Page i is page i modulo the source's length. In each copy 6 % of the bits of its coarse vectors are flipped and noise of
    0.2 of their length is added to its fine vectors; its tokens are its fine vectors, so that tier 3 reads as much as tier 2.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths, first = [], 0
    for number, size in enumerate(sizes):
        path = folder / f"{number}-{size}.seg"
        if not path.exists():
            write_segment(path, _pages(source, first, size, seed + number))
        paths.append(path)
        open_segment(path)
        first += size
    return paths


def _pages(source: MultiVectorSegment, first: int, count: int, seed: int) -> Iterator[OwnedPage]:
    rng = np.random.default_rng(seed)
    originals = [source.page(row).codes for row in range(len(source))]
    words, vectors = originals[0].coarse.shape, source.foot.counts[:, 0].max()
    flips = np.packbits(rng.random((_POOL, *words, 64)) < _FLIPPED, axis=-1).view(np.uint64)[..., 0]
    steps = rng.standard_normal((_POOL, vectors, source.foot.dimension), dtype=np.float32)
    steps *= np.float32(_NOISE / np.sqrt(source.foot.dimension))
    for number in range(first, first + count):
        page = originals[number % len(originals)]
        coarse, fine = page.coarse, page.fine
        if number >= len(originals):
            one, other = rng.integers(_POOL, size=2)
            coarse = coarse ^ np.roll(flips[one], int(rng.integers(len(coarse))), axis=0)
            change = steps[other, : len(fine)] / fine.scales[:, None].astype(np.float32)
            codes = np.clip(np.rint(fine.codes + change), -127, 127).astype(np.int8)
            fine = ByteCodes(codes, fine.scales)
        nowhere = np.zeros((len(fine), 4), dtype=np.uint16)
        rest = np.zeros((len(fine), -(-source.foot.dimension // 4)), dtype=np.uint8)
        yield OwnedPage(
            number + 1, 1, PageCodes(coarse, fine, fine, rest, np.ones(len(fine), dtype=np.uint8), nowhere)
        )
