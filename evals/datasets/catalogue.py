"""The public sets that have a name."""

from __future__ import annotations

from ragvl.evals.datasets.boards import KnownSet
from ragvl.evals.datasets.docvqa import DOCVQA
from ragvl.evals.datasets.financebench import FINANCEBENCH
from ragvl.evals.datasets.mmlongbench import MMLONGBENCH
from ragvl.evals.datasets.nano_vidore import NANO_VIDORE_V3
from ragvl.evals.datasets.real_mm_rag import REAL_MM_RAG
from ragvl.evals.datasets.vidore_v1 import VIDORE_V1
from ragvl.evals.datasets.vidore_v2 import VIDORE_V2
from ragvl.evals.datasets.vidore_v3 import VIDORE_V3, VIDORE_V3_MTEB, VIDORE_V3_OCR
from ragvl.evals.datasets.vidoseek import VIDOSEEK

__all__ = ["known_sets"]

_SETS: tuple[KnownSet, ...] = (
    *VIDORE_V3,
    *VIDORE_V3_MTEB,
    *VIDORE_V3_OCR,
    *NANO_VIDORE_V3,
    *VIDORE_V2,
    *VIDORE_V1,
    *REAL_MM_RAG,
    VIDOSEEK,
    MMLONGBENCH,
    *DOCVQA,
    FINANCEBENCH,
)


def known_sets() -> tuple[KnownSet, ...]:
    """Every public set that `load_set` knows by name, newest benchmarks first."""
    return _SETS
