"""
The files of metrics that ViDoRe's pipeline board takes, one a corpus: results/metrics/<pipeline>/vidore_v3_hr.json.

A pull request that adds them and a description (`vidore_description`) to illuin-tech/vidore-benchmark submits a
pipeline. The board compares English queries over the eight public corpora.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ragvl import __version__
from ragvl.evals.metrics import mean_scores, score_run
from ragvl.evals.types import EvalSet, IndexingFigures, QueryResult

__all__ = [
    "SearchInfos",
    "metrics_document",
    "search_infos",
    "write_metrics",
]

SearchInfos = dict[str, float | int | str]

_MODULE = "ragvl/evals/adapters/vidore.py"
_CLASS = "RagvlPipeline"
_MEASURES = {  # as the board's files name them, to our names
    "map": "map",
    "recip_rank": "mrr",
    **{f"P_{k}": f"p@{k}" for k in (1, 5, 10, 20)},
    **{f"recall_{k}": f"recall@{k}" for k in (1, 5, 10, 20, 50, 100)},
    **{f"ndcg_cut_{k}": f"ndcg@{k}" for k in (1, 5, 10, 20, 100)},
    **{f"map_cut_{k}": f"map@{k}" for k in (1, 10, 100)},
}
_LANGUAGES = {
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "pt": "portuguese",
}


def search_infos(figures: IndexingFigures, spent_s: Sequence[float]) -> SearchInfos:
    """
    Tell what the board's own clock does not: size, memory, how long single queries take.

    Args:
        spent_s: how long each query took, seconds.
    """
    p50, p95 = np.percentile(np.asarray(spent_s or [0.0]) * 1000, [50, 95])
    return {
        "ragvl_version": __version__,
        "pages_indexed": figures.pages,
        "pages_failed": len(figures.failed),
        "index_bytes_per_page": figures.bytes / figures.pages if figures.pages else 0.0,
        "indexing_peak_memory_bytes": figures.peak_memory_bytes,
        "search_milliseconds_p50": float(p50),
        "search_milliseconds_p95": float(p95),
    }


def metrics_document(
    corpus: EvalSet,
    results: Iterable[QueryResult],
    figures: IndexingFigures,
    *,
    language: str = "",
    pipeline_args: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """
    Make the board's file of one corpus out of an evaluation; a query that failed or was not asked scores 0.

    Args:
        corpus: with queries and judgements; its name is the board's, such as "vidore_v3_hr".
        results: of the queries.
        language: ISO 639-1 code of the queries that count; "" for all.
        pipeline_args: what `RagvlPipeline` was made with, but for the folder.

    Raises:
        ValueError: no query of that language is judged.
    """
    judged = {
        query.id: query
        for query in corpus.queries
        if corpus.relevance.get(query.id) and language in ("", query.language)
    }
    if not judged:
        raise ValueError(f"no query of {corpus.name!r} in language {language!r} is judged")
    asked = [result for result in results if result.query in judged]
    relevance = {query: corpus.relevance[query] for query in judged}
    run = {result.query: result.scores for result in asked}
    scores = score_run(relevance, run, _MEASURES.values())
    by_language: dict[str, dict[str, float]] = {}
    for code in dict.fromkeys(query.language for query in judged.values()):
        of_it = {query: scores[query] for query in judged if judged[query].language == code}
        by_language[_language_name(code)] = {**_means(of_it), "num_queries": len(of_it)}
    spent_s = [result.search_s for result in asked]
    return {
        "dataset": f"vidore/{corpus.name}",
        "split": "test",
        "language": _language_name(language) if language else None,
        "pipeline_type": None,
        "module_path": _MODULE,
        "class_name": _CLASS,
        "pipeline_args": dict(pipeline_args or {}),
        "aggregated_metrics": {
            "overall": _means(scores),
            "by_language": by_language,
            "timing": _timing(figures, sum(spent_s), len(judged), len(corpus.pages)),
            "infos": search_infos(figures, spent_s),
        },
    }


def write_metrics(folder: Path, pipeline: str, document: Mapping[str, object]) -> Path:
    """
    Write a corpus's file where the board looks for it.

    Args:
        folder: a checkout of the board's repository, or any folder.
        pipeline: name of the pipeline.
        document: of `metrics_document`.

    Returns:
        The file.
    """
    name = str(document["dataset"]).rpartition("/")[2]
    path = folder / "results" / "metrics" / pipeline / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    return path


def _means(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    means = mean_scores(scores)
    return {theirs: means[ours] for theirs, ours in _MEASURES.items()}


def _timing(figures: IndexingFigures, search_s: float, queries: int, pages: int) -> dict[str, float | None]:
    indexing_ms, search_ms = figures.seconds * 1000, search_s * 1000
    return {
        "total_retrieval_time_milliseconds": indexing_ms + search_ms,
        "indexing_time_milliseconds": indexing_ms,
        "search_time_milliseconds": search_ms,
        "num_queries": queries,
        "num_corpus": pages,
        "indexing_throughput_ms_per_doc": indexing_ms / pages if pages else None,
        "search_throughput_ms_per_query": search_ms / queries if queries else None,
    }


def _language_name(code: str) -> str:
    return _LANGUAGES.get(code, code or "unknown")
