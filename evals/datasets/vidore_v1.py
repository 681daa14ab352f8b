"""
ViDoRe v1 (Faysse et al., 2024) in the BEIR form that mteb scores: ten sets of page images, one wording, no grades.

Ids are mteb's, "query-test-3" and "corpus-test-3", unless `source_ids` is asked for. The revisions are those that
mteb 2.26 pins in its task files.
"""

from __future__ import annotations

from ragvl.evals.datasets.beir import Ids, as_is, image_set, read_judgements, read_pages, read_queries
from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.source import Repository
from ragvl.evals.types import EvalSet

__all__ = ["VIDORE_V1", "mteb_ids"]

_BOARD = "ViDoRe v1 as mteb scores it; this is 1 of its 10 sets, the board is their mean"


def mteb_ids(kind: str, value: object) -> str:
    """An id as mteb spells it: "query-test-3", "corpus-test-3"."""
    return f"{kind}-test-{value}"


def _load(known: KnownSet, options: LoadOptions) -> EvalSet:
    source = known.open(options)
    ids: Ids = as_is if options.source_ids else mteb_ids
    pages = read_pages(source.table("corpus", "test"), ids)
    queries = read_queries(source.table("queries", "test"), ids, language=known.languages[0])
    relevance = read_judgements(source.table("qrels", "test"), queries, ids)
    return image_set(
        known.name,
        board=_BOARD,
        revision=source.revision,
        main_metric="ndcg@5",
        pages=pages,
        queries=queries,
        relevance=relevance,
    )


def _row(name: str, what: str, size: str, repository: str, revision: str, language: str = "en") -> KnownSet:
    return KnownSet(
        name=f"vidore_v1_{name}",
        what=what,
        size=size,
        licence="MIT (as mteb states it)",
        repository=Repository(repository, revision),
        load=_load,
        languages=(language,),
        choices=("source_ids",),
    )


VIDORE_V1 = (
    _row("arxivqa", "figures of arXiv papers", "500 pages, 500 queries",
         "mteb/arxivqa_test_subsampled_beir", "179762404662be6bf48c30b4fb2b2ef8c6891290"),
    _row("docvqa", "scanned industry documents", "500 pages, 451 queries",
         "mteb/docvqa_test_subsampled_beir", "e78cd130055fcb8d69bb0ff4115c4712a157f3d3"),
    _row("infovqa", "infographics", "500 pages, 494 queries",
         "mteb/infovqa_test_subsampled_beir", "74d396242cc281c021eeb38d0ee5f6f30afc1fad"),
    _row("tabfquad", "tables in French documents", "70 pages, 280 queries",
         "mteb/tabfquad_test_subsampled_beir", "24a4541c4c461f5ff4f4af4e97ec820715281a06", "fr"),
    _row("tatdqa", "tables and text of financial reports", "size not stated",
         "mteb/tatdqa_test_beir", "dc7924ec102addd7f85c1ccfdd8625848179f615"),
    _row("shiftproject", "French reports on the environment", "1000 pages, 100 queries",
         "mteb/shiftproject_test_beir", "78e6f5ad3bbc1af50ae9c0f006f57462213269fb", "fr"),
    _row("synthetic_ai", "documents on artificial intelligence", "about 970 pages, 100 queries",
         "mteb/syntheticDocQA_artificial_intelligence_test_beir", "12c5b7a81fc19d66f1844642acdb88e8ad79af16"),
    _row("synthetic_energy", "documents on energy", "about 970 pages, 100 queries",
         "mteb/syntheticDocQA_energy_test_beir", "eda52c9a0519252cfaacb7ae5e5da516b7d4b8cb"),
    _row("synthetic_government", "government reports", "about 970 pages, 100 queries",
         "mteb/syntheticDocQA_government_reports_test_beir", "ec534abea699035a18f9fd76f215277de9db9600"),
    _row("synthetic_healthcare", "documents of the healthcare industry", "about 970 pages, 100 queries",
         "mteb/syntheticDocQA_healthcare_industry_test_beir", "81d53880628d641aaf7365f3b2e65f57c814ecca"),
)  # fmt: skip
