"""
The folder of a run: written as the run goes, read back for reports, comparisons and resuming.

    run.json         how it came about; written at the start, and again when it ends
    queries.jsonl    the queries that are asked, with their judgements
    results.jsonl    one outcome a line, in the order in which they came
    metrics.json     written at the end
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ragvl.errors import RagvlError
from ragvl.evals.records import RUN_FORMAT, Outcome, RunMetrics, RunRecord, StoredRun
from ragvl.evals.types import EvalQuery

__all__ = ["RunFolder", "RunFolderError", "find_runs", "load_run"]

_RECORD, _QUERIES, _RESULTS, _METRICS = "run.json", "queries.jsonl", "results.jsonl", "metrics.json"


class RunFolderError(RagvlError):
    """A folder that should hold a run does not, or its files are damaged."""


@dataclass(frozen=True, slots=True)
class _JudgedQuery:
    """A line of `queries.jsonl`: a query, and its judged pages with their grades."""

    query: EvalQuery
    relevance: Mapping[str, int]


_ADAPTERS: Mapping[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (RunRecord, RunMetrics, Outcome, _JudgedQuery)
}


class RunFolder:
    """Writes a run; whatever stops it, the lines that were written stay."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def require_empty(self) -> None:
        """
        Check that a run can be begun here.

        Raises:
            RunFolderError: the folder holds something.
        """
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RunFolderError(f"{self.path} is not empty: name another --out, or go on with --resume")

    def create(
        self, record: RunRecord, queries: Iterable[EvalQuery], relevance: Mapping[str, Mapping[str, int]]
    ) -> None:
        """
        Begin a run in a new or empty folder.

        Raises:
            RunFolderError: the folder holds something.
        """
        self.require_empty()
        self.path.mkdir(parents=True, exist_ok=True)
        lines = [_line(_JudgedQuery(query, relevance.get(query.id, {}))) for query in queries]
        _replace(self.path / _QUERIES, "".join(lines))
        _replace(self.path / _RESULTS, "")
        self.write_record(record)

    def write_record(self, record: RunRecord) -> None:
        """Write `run.json`, in place of what it held."""
        _replace(self.path / _RECORD, _document(record))

    def write_metrics(self, metrics: RunMetrics) -> None:
        """Write `metrics.json`, in place of what it held."""
        _replace(self.path / _METRICS, _document(metrics))

    def append(self, outcome: Outcome) -> None:
        """Add a line to `results.jsonl`; it is on its way to the disk when this returns."""
        with (self.path / _RESULTS).open("ab") as file:
            file.write(_line(outcome).encode("utf-8"))

    def drop_torn_line(self) -> None:
        """Cut off the end of `results.jsonl` that a killed run left without its line end."""
        path = self.path / _RESULTS
        content = path.read_bytes() if path.is_file() else b""
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)


def load_run(path: Path) -> StoredRun:
    """
    Read a run back, finished or not.

    A last line of `results.jsonl` without its end, which a killed run leaves, is passed over.

    Raises:
        RunFolderError: no run there, one of a newer ragvl, or damaged files; it says which file and where.
    """
    if not (path / _RECORD).is_file():
        raise RunFolderError(f"{path} holds no run: there is no {_RECORD} in it")
    raw = (path / _RECORD).read_bytes()
    _check_format(path / _RECORD, raw)
    record = _read(RunRecord, path / _RECORD, raw)
    judged = [_read(_JudgedQuery, path / _QUERIES, line, at) for at, line in _lines(path / _QUERIES)]
    outcomes = [_read(Outcome, path / _RESULTS, line, at) for at, line in _lines(path / _RESULTS)]
    metrics = path / _METRICS
    return StoredRun(
        folder=path,
        record=record,
        queries=tuple(one.query for one in judged),
        relevance={one.query.id: one.relevance for one in judged if one.relevance},
        outcomes={outcome.query: outcome for outcome in outcomes},
        metrics=_read(RunMetrics, metrics, metrics.read_bytes()) if metrics.is_file() else None,
    )


def find_runs(folder: Path) -> list[Path]:
    """Folders of runs in a folder, oldest first by name; empty when it is not there."""
    return sorted(path.parent for path in folder.glob(f"*/{_RECORD}"))


def _line(value: object) -> str:
    return json.dumps(_ADAPTERS[type(value)].dump_python(value, mode="json"), allow_nan=False) + "\n"


def _document(value: object) -> str:
    return (
        json.dumps(_ADAPTERS[type(value)].dump_python(value, mode="json"), indent=2, allow_nan=False) + "\n"
    )


def _lines(path: Path) -> list[tuple[int, bytes]]:
    """Whole lines of a file with their numbers, from 1."""
    if not path.is_file():
        raise RunFolderError(f"{path} is missing: the run is damaged")
    content = path.read_bytes()
    return list(enumerate(content[: content.rfind(b"\n") + 1].splitlines(), start=1))


def _read(kind: type[Any], path: Path, raw: bytes, line: int = 0) -> Any:
    try:
        return _ADAPTERS[kind].validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        where = f"{path}, line {line}" if line else f"{path}"
        raise RunFolderError(
            f"{where}: {place + ': ' if place else ''}{first['msg']}; the run is damaged"
        ) from None


def _check_format(path: Path, raw: bytes) -> None:
    try:
        found = json.loads(raw)
    except ValueError:
        raise RunFolderError(f"{path} is not JSON: the run is damaged") from None
    number = found.get("format") if isinstance(found, dict) else None
    if number != RUN_FORMAT:
        raise RunFolderError(
            f"{path} has format {number!r}, this ragvl reads {RUN_FORMAT}: use the ragvl that made it"
        )


def _replace(path: Path, text: str) -> None:
    """Write a file so that it is either the old or the new one, never a part."""
    beside = path.with_name(path.name + ".part")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
