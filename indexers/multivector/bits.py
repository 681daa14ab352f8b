"""
Vectors as bits: the sides of fixed planes that they lie on.

The planes are the first rows of H S H T, where H is a Hadamard matrix and S and T flip signs as SHAKE-256 says. Nothing
is trained, so bits never depend on which pages came first; every number is a multiple of a power of two, so all machines
have the same planes. As many planes as dimensions, where that is a power of two, are a random rotation.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ragvl.protocols import FloatArray

_PAGE_BITS = 4096
_LEAST, _MOST = 128, 512

BitCodes = NDArray[np.uint64]  # (n, words)


def words_a_vector(vectors: int) -> int:
    """Words of 64 bits that each of a page's coarse vectors has: two of 32 vectors, more of fewer, so that the page has 512 bytes."""
    bits = min(max(_PAGE_BITS // vectors, _LEAST), _MOST)
    return bits // _LEAST * (_LEAST // 64)


def sign_bits(vectors: FloatArray, words: int) -> BitCodes:
    """Code (n, dimension) float32 vectors in so many words each."""
    return pack(distances(vectors, words) > 0)


def distances(vectors: FloatArray, words: int) -> FloatArray:
    """How far (n, dimension) vectors are from each plane, positive on its side: (n, 64 * words) float32."""
    found: FloatArray = vectors @ planes(vectors.shape[1], words * 64).T
    return found


def pack(sides: NDArray[np.bool_]) -> BitCodes:
    """Pack (..., 64 * words) truths into (..., words) words, the first into the lowest bit."""
    return np.packbits(sides, axis=-1, bitorder="little").view("<u8").astype(np.uint64, copy=False)


@lru_cache(maxsize=8)
def planes(dimension: int, count: int) -> FloatArray:
    """The normals of `count` planes, (count, dimension) float32; shared, so read-only."""
    size = 1 << (max(dimension, count) - 1).bit_length()
    hadamard = np.ones((1, 1))
    while len(hadamard) < size:
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    first, second = _signs(size)
    normals = ((hadamard[:count] * first) @ (hadamard * second))[:, :dimension] / size
    found: FloatArray = normals.astype(np.float32)
    found.flags.writeable = False
    return found


def _signs(size: int) -> NDArray[np.float64]:
    """Two rows of 1 and -1."""
    stream = hashlib.shake_256(b"ragvl planes 1").digest(size // 4)
    bits = np.unpackbits(np.frombuffer(stream, dtype=np.uint8)).reshape(2, size)
    return 1 - 2 * bits.astype(np.float64)
