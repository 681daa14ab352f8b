"""
REAL-MM-RAG (Wasserman et al., 2025): queries reworded in three levels so that matching words is not enough.

Level 3, the freest, is what mteb scores. The revisions are those that mteb 2.26 pins in its task files.
"""

from __future__ import annotations

from ragvl.evals.datasets.beir import image_set, read_judgements, read_pages, read_queries
from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.source import Repository
from ragvl.evals.types import EvalSet

__all__ = ["REAL_MM_RAG"]

_FREEST = 3


def _load(known: KnownSet, options: LoadOptions) -> EvalSet:
    level = _FREEST if options.rephrase_level is None else options.rephrase_level
    if not 0 <= level <= _FREEST:
        raise DatasetError(
            f"{known.name}: rephrase_level must be from 0 (as first asked) to {_FREEST}, not {level}"
        )
    source = known.open(options)
    pages = read_pages(source.table("corpus", "test"))
    wording = f"rephrase_level_{level}" if level else "query"
    queries = read_queries(source.table("queries", "test"), text=wording, language="en")
    relevance = read_judgements(source.table("qrels", "test"), queries)
    boards = "which mteb scores" if level == _FREEST else "which no board scores"
    return image_set(
        known.name,
        board=f"REAL-MM-RAG, rephrase level {level}, {boards}; this is 1 of its 4 sets",
        revision=source.revision,
        main_metric="ndcg@5",
        pages=pages,
        queries=queries,
        relevance=relevance,
    )


def _row(name: str, what: str, size: str, revision: str) -> KnownSet:
    return KnownSet(
        name=f"real_mm_rag_{name.lower()}",
        what=what,
        size=size,
        licence="CDLA-Permissive-2.0",
        repository=Repository(f"ibm-research/REAL-MM-RAG_{name}_BEIR", revision),
        load=_load,
        choices=("rephrase_level",),
    )


REAL_MM_RAG = (
    _row("FinReport", "19 financial reports", "2687 pages", "e66ef8cc883d823483db7b5b71065eb7c1dae12c"),
    _row(
        "FinSlides",
        "65 quarterly financial presentations",
        "2280 pages",
        "41167605aed3ab0ff342ac8f318163c6e59b8b31",
    ),
    _row("TechReport", "technical reports", "size not stated", "13642f1f8d39e032757f4d0ee73814452fc76d17"),
    _row(
        "TechSlides", "technical presentations", "size not stated", "614ad5cac2edd86756045f04075d335a3825a692"
    ),
)
