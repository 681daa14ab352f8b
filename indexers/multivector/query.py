"""A query's vectors as the tiers compare them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.multivector.bits import BitCodes, sign_bits
from ragvl.protocols import FloatArray

TOP = 2047  # of a query's codes: 12 bits, so that its own rounding counts for nothing beside the pages'


@dataclass(frozen=True, slots=True, eq=False)
class QueryCodes:
    """
    A query of m vectors: vector i is scales[i] * codes[i].

    Attributes:
        bits: (m, words) uint64.
        codes: (m, dimension) int16, between -TOP and TOP.
        scales: (m,) float32.
    """

    bits: BitCodes
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
        return cls(sign_bits(bag, words), codes, scales)
