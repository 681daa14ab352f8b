"""Which queries of a set are asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from ragvl.errors import RagvlError
from ragvl.evals.types import EvalQuery, EvalSet

__all__ = ["queries_digest", "select_queries"]


def select_queries(corpus: EvalSet, *, language: str = "", limit: int | None = None) -> EvalSet:
    """
    Keep some of a set's queries; its pages stay, so that finding one is as hard as before.

    Args:
        language: ISO 639-1 code; queries that are known to be of another language are left out.
        limit: so many at most, drawn by the hashes of their ids: the same every time, and from all over the set.

    Raises:
        RagvlError: no query is left, or two have the same id.
    """
    _check_ids(corpus)
    kept = [query for query in corpus.queries if not language or query.language in ("", language)]
    if not kept:
        languages = (
            ", ".join(sorted({query.language for query in corpus.queries})) or "none: it has no queries"
        )
        raise RagvlError(f"the set {corpus.name!r} has no queries in {language!r}; it has {languages}")
    if limit is not None and limit < len(kept):
        drawn = {query.id for query in sorted(kept, key=_draw)[:limit]}
        kept = [query for query in kept if query.id in drawn]
    ids = {query.id for query in kept}
    return replace(
        corpus,
        queries=tuple(kept),
        relevance={query: judged for query, judged in corpus.relevance.items() if query in ids and judged},
        boxes={place: boxes for place, boxes in corpus.boxes.items() if place[0] in ids},
    )


def queries_digest(corpus: EvalSet) -> str:
    """Hash the queries of a set and their judgements, whatever their order."""
    asked = sorted(
        (
            query.id,
            query.text,
            query.document,
            query.answers,
            sorted(corpus.relevance.get(query.id, {}).items()),
        )
        for query in corpus.queries
    )
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _check_ids(corpus: EvalSet) -> None:
    for what, ids in (
        ("queries", [query.id for query in corpus.queries]),
        ("pages", [page.id for page in corpus.pages]),
    ):
        seen: set[str] = set()
        for one in ids:
            if one in seen:
                raise RagvlError(f"the set {corpus.name!r} has two {what} with the id {one!r}")
            seen.add(one)


def _draw(query: EvalQuery) -> tuple[str, str]:
    return hashlib.sha256(query.id.encode("utf-8", "surrogatepass")).hexdigest(), query.id
