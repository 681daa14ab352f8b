"""
NanoViDoRe v3 (LightOn): small parts of the eight public ViDoRe v3 sets.

Its layout is not described where ragvl's authors could read it. The three that such collections have are recognised:
tables `corpus`, `queries` and `qrels` with one split a subset; tables `hr-corpus`, `hr-queries`, `hr-qrels`; or one
table a subset with the splits `corpus`, `queries` and `qrels`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ragvl.evals.datasets.beir import image_set, read_judgements, read_pages, read_queries
from ragvl.evals.datasets.boards import KnownSet, LoadOptions
from ragvl.evals.datasets.errors import DatasetError
from ragvl.evals.datasets.source import Repository, Source
from ragvl.evals.datasets.table import Table
from ragvl.evals.types import EvalSet

__all__ = ["NANO_VIDORE_V3"]

_PREFIX = "nano_vidore_v3_"
_TABLES = ("corpus", "queries", "qrels")


def _load(known: KnownSet, options: LoadOptions) -> EvalSet:
    source = known.open(options)
    corpus, asked, judgements = _tables(source, known.name.removeprefix(_PREFIX))
    pages = read_pages(corpus)
    queries = read_queries(asked, language="" if "language" in asked.columns else "en")
    relevance = read_judgements(judgements, queries)
    return image_set(
        known.name,
        board="NanoViDoRe v3; this is 1 of its 8 subsets, the published numbers are their mean",
        revision=source.revision,
        main_metric="ndcg@10",
        pages=pages,
        queries=queries,
        relevance=relevance,
    )


def _tables(source: Source, subset: str) -> tuple[Table, Table, Table]:
    card = source.card()
    split = _named(subset, (split for table in _TABLES for split in card.splits(table)))
    prefix = _named(subset, (name.removesuffix("-corpus") for name in card.files if name.endswith("-corpus")))
    whole = _named(subset, card.files)
    if split:
        tables = [source.table(table, split) for table in _TABLES]
    elif prefix:
        tables = [source.table(f"{prefix}-{table}") for table in _TABLES]
    elif whole:
        tables = [source.table(whole, table) for table in _TABLES]
    else:
        raise DatasetError(
            f"{source.where}: nothing for {subset!r}; tables there: {', '.join(card.files) or 'none'}"
        )
    corpus, queries, judgements = tables
    return corpus, queries, judgements


def _named(subset: str, names: Iterable[str]) -> str:
    """The name that spells a subset in some way: "hr", "NanoHR", "vidore_v3_hr", "ComputerScience"."""
    wanted = re.sub("[^a-z]", "", subset.lower())
    return next((name for name in sorted(names) if _bare(name) == wanted), "")


def _bare(name: str) -> str:
    return re.sub("^(nano)?(vidore)?(v3)?(nano)?", "", re.sub("[^a-z0-9]", "", name.lower()))


NANO_VIDORE_V3 = tuple(
    KnownSet(
        name=f"{_PREFIX}{subset}",
        what=f"a small part of vidore_v3_{subset}",
        size="size not stated",
        licence="as ViDoRe v3",
        repository=Repository("lightonai/NanoViDoRe_v3"),
        load=_load,
    )
    for subset in (
        "hr", "finance_en", "finance_fr", "industrial", "pharmaceuticals", "computer_science", "energy", "physics"
    )
)  # fmt: skip
