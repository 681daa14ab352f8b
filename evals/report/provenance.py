"""The section that says how to get the same figures again: data, command, versions, machine, configuration."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from ragvl.evals.records import RunRecord
from ragvl.evals.report.html import fill, section, tag
from ragvl.evals.report.series import Series, chip
from ragvl.evals.report.words import counted, duration, moment
from ragvl.markup import Html, escape, join

__all__ = ["provenance"]

_MOST_NOTES = 5


def provenance(series: Sequence[Series]) -> Html:
    """Say of each run what it was made of."""
    first = series[0].run.record.dataset
    about_data = fill(
        "data",
        board=first.board or "none: these figures belong to no board",
        revision=first.revision or "unknown",
        digest=first.digest,
        notes=_notes(first.notes),
    )
    return section(
        "provenance", "How to get the same again", "", about_data, join(_run(one) for one in series)
    )


def _notes(notes: Sequence[str]) -> Html:
    """List what was left out of the data; a long list can be opened."""
    if not notes:
        return Html("")
    listed = Html(f"<ul class='plain'>{join(tag('li', note) for note in notes)}</ul>")
    if len(notes) <= _MOST_NOTES:
        return listed
    return Html(f"<details><summary>{counted(len(notes), 'note')} on the data</summary>{listed}</details>")


def _run(series: Series) -> Html:
    record = series.run.record
    return fill(
        "provenance",
        name=chip(series),
        when=_when(record),
        command=shlex.join(record.command) or "started from Python",
        facts=join([*_pairs(record.packages), *_pairs(record.machine)]),
        configuration=json.dumps(
            _plain(record.system.configuration), indent=2, ensure_ascii=False, sort_keys=True
        ),
    )


def _when(record: RunRecord) -> str:
    told = f"{moment(record.started_at)}"
    if record.ended_at is not None:
        told += f", {duration((record.ended_at - record.started_at).total_seconds())}"
    if record.resumed_at:
        told += f", taken up again {counted(len(record.resumed_at), 'time')}"
    return told


def _pairs(values: Mapping[str, str]) -> list[Html]:
    return [
        Html(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>") for name, value in values.items()
    ]


def _plain(value: object) -> object:
    """What JSON can hold, the rest as text."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
