"""Whether a run that is to be resumed is the same run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ragvl.errors import RagvlError
from ragvl.evals.records import DatasetRecord, RunRequest, StoredRun, SystemRecord

__all__ = ["check_same_run"]

_FREE = frozenset({"request.work", "dataset.notes"})


def check_same_run(
    kept: StoredRun,
    *,
    request: RunRequest | None = None,
    dataset: DatasetRecord | None = None,
    system: SystemRecord | None = None,
) -> None:
    """
    Compare parts of a run with what it would be now.

    Raises:
        RagvlError: naming the first field that differs, and both values.
    """
    for name, now in (("request", request), ("dataset", dataset), ("system", system)):
        if now is None:
            continue
        before = getattr(kept.record, name)
        for field, old, new in _differences(name, asdict(before), asdict(now)):
            if field not in _FREE:
                raise RagvlError(
                    f"{kept.folder} cannot be resumed: {field} was {_shown(old)} and is {_shown(new)} now. Bring back "
                    "what it was, or start a new run"
                )


def _differences(place: str, before: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted(before.keys() | now.keys()):
            yield from _differences(f"{place}.{key}", before.get(key), now.get(key))
    elif before != now:
        yield place, before, now


def _shown(value: object) -> str:
    return "not there" if value is None else repr(value)
