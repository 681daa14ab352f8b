"""
ViDoRe v2 (Macé et al., 2025) as mteb scores it: four sets, three of them with queries in four languages.

Ids are mteb's unless `source_ids` is asked for. The revisions are those that mteb 2.26 pins in its task files.
"""

from __future__ import annotations

from ragvl.evals.datasets.beir import Ids, as_is, image_set, read_judgements, read_pages, read_queries
from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.languages import name_of, wanted_codes
from ragvl.evals.datasets.source import Repository
from ragvl.evals.datasets.vidore_v1 import mteb_ids
from ragvl.evals.types import EvalSet

__all__ = ["VIDORE_V2"]

_FOUR = ("en", "fr", "es", "de")


def _load(known: KnownSet, options: LoadOptions) -> EvalSet:
    wanted = wanted_codes(options.language, known.languages, known.name)
    source = known.open(options)
    ids: Ids = as_is if options.source_ids else mteb_ids
    pages = read_pages(source.table("corpus", "test"), ids)
    asked = read_queries(source.table("queries", "test"), ids, language="en")
    queries = tuple(query for query in asked if query.language in wanted)
    relevance = read_judgements(source.table("qrels", "test"), queries, ids)
    return image_set(
        known.name,
        board=_board(known, wanted),
        revision=source.revision,
        main_metric="ndcg@5",
        pages=pages,
        queries=queries,
        relevance=relevance,
    )


def _board(known: KnownSet, wanted: tuple[str, ...]) -> str:
    whole = (
        f"all {len(known.languages)} query languages" if len(wanted) > 1 else f"{name_of(wanted[0])} queries"
    )
    return (
        f"ViDoRe v2 as mteb scores it, {whole}; this is 1 of its 4 sets, the board is the mean of their means by "
        "language (model cards give the mean of 7 variants, another number)"
    )


def _row(name: str, what: str, size: str, revision: str, languages: tuple[str, ...] = _FOUR) -> KnownSet:
    return KnownSet(
        name=f"vidore_v2_{name}",
        what=what,
        size=size,
        licence="MIT (as mteb states it)",
        repository=Repository(f"vidore/{name}_v2", revision),
        load=_load,
        languages=languages,
        choices=("source_ids", *(("language",) if len(languages) > 1 else ())),
    )


VIDORE_V2 = (
    _row("esg_reports", "reports on sustainability", "1538 pages, 57 queries a language",
         "0542c0d03da0ec1c8cbc517c8d78e7e95c75d3d3"),
    _row("economics_reports", "reports on economics", "452 pages, 58 queries a language",
         "b3e3a04b07fbbaffe79be49dabf92f691fbca252"),
    _row("biomedical_lectures", "lecture slides on biomedicine", "1016 pages, 160 queries a language",
         "a29202f0da409034d651614d87cd8938d254e2ea"),
    _row("esg_reports_human_labeled", "reports on sustainability, labelled by people", "52 queries",
         "6d467dedb09a75144ede1421747e47cf036857dd", ("en",)),
)  # fmt: skip
