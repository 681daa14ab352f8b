"""A query's vectors as the tiers compare them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.multivector.bits import BitCodes, distances, pack
from ragvl.protocols import FloatArray

HEAVIEST = 7  # of the weights of bits, which are three bits themselves
_WEIGHT_BITS = HEAVIEST.bit_length()
_SHARES = 255  # the most that a query vector counts among the others
TOP = 2047  # of a query's codes: 12 bits, so that its own rounding counts for nothing beside the pages'


@dataclass(frozen=True, slots=True, eq=False)
class QueryCodes:
    """
    A query of m vectors: vector i is scales[i] * codes[i].

    Attributes:
        bits: (m, words) uint64, the sides of planes that the vectors lie on.
        weights: (m, 3, words) uint64, how far from each plane they lie, 0 to HEAVIEST: the three bits of these numbers, lowest
            first.
        shares: (m,) int32, what a weight of 1 counts for each vector.
        codes: (m, dimension) int16, between -TOP and TOP.
        scales: (m,) float32.
    """

    bits: BitCodes
    weights: NDArray[np.uint64]
    shares: NDArray[np.int32]
    codes: NDArray[np.int16]
    scales: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: FloatArray, words: int) -> Self:
        """
        Code a query's vectors, (m, dimension) float32, unit length along the last axis, in so many words of bits.

        Raises:
            ValueError: they are none, or not finite.
        """
        bag = np.ascontiguousarray(vectors, dtype=np.float32)
        if bag.ndim != 2 or not bag.size:
            raise ValueError(f"a query's vectors have shape {bag.shape}, not (m, dimension)")
        if not np.isfinite(bag).all():
            raise ValueError("a query's vectors hold values that are not finite numbers")
        top = np.abs(bag).max(axis=1)
        scales = np.where(top > 0, top / TOP, 1).astype(np.float32)
        codes = np.clip(np.rint(bag / scales[:, None]), -TOP, TOP).astype(np.int16)
        far = distances(bag, words)
        farthest = np.maximum(np.abs(far).max(axis=1, keepdims=True), np.float32(1e-12))
        heavy = np.rint(np.abs(far) / farthest * HEAVIEST).astype(np.uint8)
        weights = np.stack([pack(heavy >> bit & 1 == 1) for bit in range(_WEIGHT_BITS)], axis=1)
        shares = np.rint(farthest[:, 0] / farthest.max() * _SHARES).astype(np.int32)
        return cls(pack(far > 0), np.ascontiguousarray(weights), shares, codes, scales)
