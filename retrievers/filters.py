"""Filters that hold inside the search itself: which documents a query may find."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import Snapshot
from ragvl.protocols import Filter

EVERYTHING = Filter()
_KEYS = tuple(field.name for field in fields(Filter))


def parse_filter(where: Mapping[str, Any] | None) -> Filter:
    """
    Read a filter as users write it: `{"path": "10k/*", "media_type": ["image/*"], "modified_from": "2018-01-01"}`.

    Raises:
        ValueError: an unknown key (with the nearest known one), or a date that is none.
    """
    if not where:
        return EVERYTHING
    for key in where:
        if key not in _KEYS:
            close = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(_KEYS)}"
            raise ValueError(f"unknown filter {key!r}; {hint}")
    return Filter(
        path=_globs(where.get("path")),
        media_type=_globs(where.get("media_type")),
        modified_from=_moment("modified_from", where.get("modified_from"), end_of_day=False),
        modified_until=_moment("modified_until", where.get("modified_until"), end_of_day=True),
    )


def allowed_documents(snapshot: Snapshot, where: Filter) -> frozenset[int] | None:
    """Ids of the documents that a filter lets through; None when it lets all through."""
    clauses: list[str] = []
    values: list[object] = []
    if where.path:
        # As in SQLite's GLOB, "*" also matches "/": "10k/*" finds what lies deeper, too.
        clauses.append(" OR ".join(["f.name GLOB ? OR f.name GLOB '*/' || ?"] * len(where.path)))
        values += [glob for path in where.path for glob in (path, path)]
    if where.media_type:
        clauses.append(" OR ".join(["d.media_type GLOB ?"] * len(where.media_type)))
        values += where.media_type
    if where.modified_from:
        clauses.append("f.mtime_ns >= ?")
        values.append(int(where.modified_from.timestamp() * 1e9))
    if where.modified_until:
        clauses.append("f.mtime_ns <= ?")
        values.append(int(where.modified_until.timestamp() * 1e9))
    if not clauses:
        return None
    rows = fetch(
        snapshot.connection,
        "SELECT DISTINCT d.id FROM documents d JOIN files f ON f.document_id = d.id WHERE "
        + " AND ".join(f"({clause})" for clause in clauses),
        values,
    )
    return frozenset(row[0] for row in rows)


def _globs(value: str | Sequence[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _moment(key: str, value: str | datetime | None, *, end_of_day: bool) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{key}: {value!r} is not a date; write it as 2018-01-31") from None
    if end_of_day and len(value) <= len("2018-01-31"):
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
