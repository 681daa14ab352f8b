"""The kernels in the fastest form that this machine has."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ragvl.indexers.multivector.bits import BitCodes
from ragvl.indexers.multivector.blocks import Blocks
from ragvl.indexers.multivector.kernels import bitwise, bytewise

logger = logging.getLogger(__name__)


class Scan(Protocol):
    """See `bitwise.scan`."""

    def __call__(
        self, query: BitCodes, blocks: Blocks, vectors: int, scores: NDArray[np.int32], /
    ) -> None: ...


class Weigh(Protocol):
    """See `bitwise.weigh`."""

    def __call__(
        self,
        query: BitCodes,
        weights: NDArray[np.uint64],
        shares: NDArray[np.int32],
        blocks: Blocks,
        vectors: int,
        rows: NDArray[np.int64],
        scores: NDArray[np.int32],
        /,
    ) -> None: ...


class MaxSim(Protocol):
    """See `bytewise.maxsim`."""

    def __call__(
        self,
        query: NDArray[np.int16],
        query_scales: NDArray[np.float32],
        codes: NDArray[np.int8],
        scales: NDArray[np.float32],
        ends: NDArray[np.int64],
        scores: NDArray[np.float32],
        /,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Kernels:
    """The kernels in one form; all forms give the same bits."""

    name: str
    scan: Scan
    weigh: Weigh
    maxsim: MaxSim


REFERENCE = Kernels("numpy", bitwise.scan, bitwise.weigh, bytewise.maxsim)


@lru_cache(maxsize=1)
def fastest_kernels() -> Kernels:
    """The compiled kernels, else the references; the first call takes a second, or several where nothing is cached."""
    try:
        from ragvl.indexers.multivector.kernels import compiled
    except ImportError as error:
        logger.warning(
            "numba is not usable (%s): large indexes of page images are searched several times slower. "
            'pip install "ragvl[vl]"',
            error,
        )
        return REFERENCE
    try:
        scan, weigh, maxsim = compiled.compile_kernels(cache=True)
    except (RuntimeError, OSError) as error:
        logger.warning(
            "compiled kernels cannot be kept (%s): each process compiles them anew, which takes seconds. "
            "Let NUMBA_CACHE_DIR name a folder that can be written.",
            error,
        )
        scan, weigh, maxsim = compiled.compile_kernels(cache=False)
    return Kernels("numba", scan, weigh, maxsim)


def ready_kernels() -> Kernels:
    """The compiled kernels where this process has them already, else the references: for little work."""
    return fastest_kernels() if fastest_kernels.cache_info().currsize else REFERENCE
