"""Runs side by side: what each is called, and which colour it has throughout a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragvl.errors import RagvlError
from ragvl.evals.records import Estimate, RunMetrics, StoredRun
from ragvl.markup import Html, escape

__all__ = ["ReportError", "Series", "chip", "series_of"]

_COLOURS = 6


class ReportError(RagvlError):
    """Runs that no report can be made of; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Series:
    """
    A finished run as a report shows it.

    Attributes:
        name: unlike that of any other run of the report.
        colour: class of its marks, "series-1" to "series-6".
    """

    name: str
    colour: str
    run: StoredRun
    metrics: RunMetrics

    def estimate(self, metric: str) -> Estimate | None:
        """The mean of a metric; None where the run does not have it."""
        return self.metrics.metrics.get(metric)

    def per_query(self, metric: str) -> Mapping[str, float]:
        """Query id to value."""
        return self.metrics.per_query.get(metric, {})


def series_of(runs: Sequence[StoredRun]) -> list[Series]:
    """
    Name and colour runs, in the order given.

    Raises:
        ReportError: there is no run, or one is not finished.
    """
    if not runs:
        raise ReportError("there is no run to report on")
    counted = Counter(run.record.system.name for run in runs)
    found = []
    for place, run in enumerate(runs):
        if run.metrics is None:
            raise ReportError(
                f"{run.folder} is not finished: {len(run.outcomes)} of {len(run.queries)} queries are done; "
                "go on with it first (ragvl eval run --resume)"
            )
        name = run.record.system.name
        unlike = name if counted[name] == 1 else f"{name} · {run.record.id}"
        found.append(Series(unlike, f"series-{place % _COLOURS + 1}", run, run.metrics))
    return found


def chip(series: Series) -> Html:
    """Write a run's name beside its colour."""
    return Html(f'<span class="name {series.colour}"><i aria-hidden="true"></i>{escape(series.name)}</span>')
