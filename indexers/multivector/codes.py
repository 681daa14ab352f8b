"""What is kept of a page: few pooled vectors as bits, more of them as bytes, and all of them as bytes with their places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragvl.config import TierConfig
from ragvl.indexers.multivector.bits import BitCodes, sign_bits, words_a_vector
from ragvl.indexers.multivector.pooling import cut, medoids, merge_tree, pool
from ragvl.protocols import FloatArray, PageVectors

MAX_DIMENSION = 4096  # up to here sums of products of codes are exact, see `kernels.bytewise`
_WHOLE = 65_535  # a page's width or height, in the units of boxes


@dataclass(frozen=True, slots=True, eq=False)
class ByteCodes:
    """
    Vectors in 8 bits a dimension: vector i is scales[i] * codes[i].

    Attributes:
        codes: (n, dimension) int8.
        scales: (n,) float16, positive.
    """

    codes: NDArray[np.int8]
    scales: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.scales)

    @property
    def size_bytes(self) -> int:
        """Of codes and scales."""
        return self.codes.nbytes + self.scales.nbytes

    def decode(self) -> FloatArray:
        """The vectors, (n, dimension) float32; their lengths are 1 within the precision of 8 bits."""
        return self.codes * self.scales.astype(np.float32)[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class PageCodes:
    """
    A page in three tiers.

    Attributes:
        coarse: (TierConfig.coarse_vectors, words) uint64, pooled vectors; where a page has fewer, they are repeated, which
            leaves every maximum as it is.
        fine: pooled vectors, at most TierConfig.fine_vectors.
        tokens: all vectors, or at most TierConfig.page_vectors pooled ones.
        sources: (n,) uint8, a `VectorSource` for each of `tokens`.
        rest: (n, dimension / 4 rounded up) uint8, the quarter of a step of each of `tokens` in which its numbers lie, two bits a number:
            what makes 10 bits of 8, for the last comparison of the best pages.
        boxes: (n, 4) uint16, the place on the page of each of `tokens`: x0, x1 in 65,535ths of the page's width and y0, y1 of
            its height, in the order x0, y0, x1, y1.
    """

    coarse: BitCodes
    fine: ByteCodes
    tokens: ByteCodes
    rest: NDArray[np.uint8]
    sources: NDArray[np.uint8]
    boxes: NDArray[np.uint16]

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.tokens.codes.shape[1])

    @property
    def size_bytes(self) -> int:
        """What the page takes in a segment, but for some 50 bytes of the segment's tables."""
        arrays = (self.coarse, self.rest, self.sources, self.boxes)
        return sum(array.nbytes for array in arrays) + self.fine.size_bytes + self.tokens.size_bytes

    def decode(self, width_pt: float, height_pt: float) -> PageVectors:
        """The page as it was encoded, within the precision of 10 bits; boxes within 1/65,535 of the page's size."""
        size = np.array([width_pt, height_pt] * 2, dtype=np.float64)
        boxes_pt = (self.boxes * (size / _WHOLE)).astype(np.float32)
        return PageVectors(self.token_vectors(), self.sources, boxes_pt)

    def token_vectors(self) -> FloatArray:
        """The vectors of `tokens` with their rest, (n, dimension) float32."""
        eighths = 8 * self.tokens.codes.astype(np.int16) + unpack_rest(self.rest, self.dimension)
        return eighths.astype(np.float32) * (self.tokens.scales.astype(np.float32)[:, None] / np.float32(8))


@dataclass(frozen=True, slots=True, eq=False)
class OwnedPage:
    """A page's codes and whose they are."""

    page_id: int
    document_id: int
    codes: PageCodes


def encode_page(vectors: PageVectors, width_pt: float, height_pt: float, tiers: TierConfig) -> PageCodes:
    """
    Code a page in three tiers.

    Args:
        vectors: n vectors, n at least 1.
        width_pt, height_pt: size of the page; boxes beyond it are cut.
        tiers: how many vectors each tier has.

    Raises:
        ValueError: the vectors are none, too long or not finite, or their sources or boxes are not n.
        MissingExtraError: they have to be pooled and scipy is not installed.
    """
    bag = np.ascontiguousarray(vectors.vectors, dtype=np.float32)
    _check(bag, vectors)
    boxes = _fractions(vectors.boxes_pt, width_pt, height_pt)
    sources = np.ascontiguousarray(vectors.sources, dtype=np.uint8)
    sizes = (tiers.coarse_vectors, tiers.fine_vectors, tiers.page_vectors or len(bag))
    tree = merge_tree(bag) if len(bag) > min(sizes) else None
    groups = [cut(tree, size) if tree is not None and len(bag) > size else None for size in sizes]
    coarse, fine, tokens = (bag if group is None else pool(bag, group) for group in groups)
    if groups[2] is not None:
        rows = medoids(bag, groups[2], tokens)
        sources, boxes = sources[rows], boxes[rows]
    bits = sign_bits(coarse, words_a_vector(tiers.coarse_vectors))
    filled = bits[np.arange(tiers.coarse_vectors) % len(bits)]
    codes = byte_codes(tokens)
    return PageCodes(filled, byte_codes(fine), codes, pack_rest(tokens, codes), sources, boxes)


def byte_codes(vectors: FloatArray) -> ByteCodes:
    """Code (n, dimension) float32 vectors in 8 bits a dimension."""
    top = np.abs(vectors).max(axis=1)
    scales = np.where(top > 0, top / 127, 1).astype(np.float16)
    # Codes are made with the scale as it is kept, so its rounding is no error; it must not be rounded down.
    scales = np.where(scales.astype(np.float32) * 127 < top, np.nextafter(scales, np.float16(np.inf)), scales)
    codes = np.rint(vectors / scales.astype(np.float32)[:, None])
    return ByteCodes(codes.astype(np.int8), scales)


def pack_rest(vectors: FloatArray, coded: ByteCodes) -> NDArray[np.uint8]:
    """Tell, two bits a number, in which quarter of its step each number of (n, dimension) coded vectors lies."""
    beyond = vectors / coded.scales.astype(np.float32)[:, None] - coded.codes  # between -0.5 and 0.5
    quarters = np.clip(np.floor((beyond + np.float32(0.5)) * 4), 0, 3).astype(np.uint8)
    padded = np.pad(quarters, ((0, 0), (0, -quarters.shape[1] % 4)))
    packed: NDArray[np.uint8] = (
        padded[:, ::4] | padded[:, 1::4] << 2 | padded[:, 2::4] << 4 | padded[:, 3::4] << 6
    )
    return packed


def unpack_rest(packed: NDArray[np.uint8], dimension: int) -> NDArray[np.int8]:
    """Undo `pack_rest`: (n, dimension) int8, the middle of each quarter in eighths of a step: -3, -1, 1 or 3."""
    quarters = np.stack([packed >> shift & 3 for shift in (0, 2, 4, 6)], axis=2).reshape(len(packed), -1)
    return (2 * quarters[:, :dimension].astype(np.int8) - 3).astype(np.int8)


def _check(bag: FloatArray, vectors: PageVectors) -> None:
    if bag.ndim != 2 or not len(bag) or not 1 <= bag.shape[1] <= MAX_DIMENSION:
        raise ValueError(f"a page's vectors have shape {bag.shape}, not (n, dimension up to {MAX_DIMENSION})")
    if len(vectors.sources) != len(bag) or np.shape(vectors.boxes_pt) != (len(bag), 4):
        raise ValueError(
            f"a page has {len(bag)} vectors but {len(vectors.sources)} sources and boxes {np.shape(vectors.boxes_pt)}"
        )
    if not np.isfinite(bag).all():
        raise ValueError("a page's vectors hold values that are not finite numbers")


def _fractions(boxes_pt: FloatArray, width_pt: float, height_pt: float) -> NDArray[np.uint16]:
    size = np.array([width_pt, height_pt] * 2, dtype=np.float64)
    shares = np.nan_to_num(np.asarray(boxes_pt, dtype=np.float64) / np.maximum(size, 1e-9))
    return np.rint(np.clip(shares, 0, 1) * _WHOLE).astype(np.uint16)
