"""What may be said of the difference between runs, query by query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragvl.errors import RagvlError
from ragvl.evals.records import Estimate, RunMetrics, StoredRun
from ragvl.evals.statistics import difference_interval

__all__ = ["Comparison", "Difference", "MetricComparison", "compare_runs"]

_SAME_DATA = ("name", "revision", "pages", "queries", "digest")


@dataclass(frozen=True, slots=True)
class Difference:
    """A run against the first one: its own mean, the mean difference with its 95 % interval, and the verdict."""

    run: str
    own: Estimate
    difference: Estimate
    verdict: str


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """One metric of all runs; `first` is that of the run that the others are compared with."""

    metric: str
    first: Estimate
    others: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs on the same data; `runs` are their ids, the first is what the others are compared with."""

    dataset: str
    main: str
    runs: tuple[str, ...]
    metrics: tuple[MetricComparison, ...]


def compare_runs(runs: Sequence[StoredRun]) -> Comparison:
    """
    Compare finished runs with the first of them, over the metrics that all of them have of the same queries.

    Raises:
        RagvlError: fewer than two runs, one that is not finished, or runs on different data; it says what differs.
    """
    if len(runs) < 2:
        raise RagvlError("name at least two runs to compare")
    first, *others = runs
    for other in others:
        _check_same_data(first, other)
    measured = [_finished(run) for run in runs]
    shared = [metric for metric in measured[0].per_query if _is_shared(metric, measured)]
    return Comparison(
        dataset=first.record.dataset.name,
        main=first.record.dataset.main_metric,
        runs=tuple(run.record.id for run in runs),
        metrics=tuple(
            MetricComparison(
                metric,
                measured[0].metrics[metric],
                tuple(
                    _difference(metric, run.record.id, metrics, measured[0])
                    for run, metrics in zip(others, measured[1:], strict=True)
                ),
            )
            for metric in shared
        ),
    )


def _is_shared(metric: str, measured: Sequence[RunMetrics]) -> bool:
    """Whether all runs have a metric, and of the same queries: precision is that of the answers that cite anything."""
    queries = measured[0].per_query[metric].keys()
    return all(metrics.per_query.get(metric, {}).keys() == queries for metrics in measured)


def _check_same_data(first: StoredRun, other: StoredRun) -> None:
    for field in _SAME_DATA:
        one, two = getattr(first.record.dataset, field), getattr(other.record.dataset, field)
        if one != two:
            what = (
                "the queries or their judgements"
                if field == "digest"
                else f"dataset.{field} is {one!r} and {two!r}"
            )
            raise RagvlError(
                f"{first.folder} and {other.folder} cannot be compared, their data differ: {what}"
            )


def _finished(run: StoredRun) -> RunMetrics:
    if run.metrics is None:
        done = f"{len(run.outcomes)} of {len(run.queries)} queries"
        raise RagvlError(f"{run.folder} is not finished, it has {done}: go on with --resume first")
    return run.metrics


def _difference(metric: str, run: str, metrics: RunMetrics, first: RunMetrics) -> Difference:
    interval = difference_interval(metrics.per_query[metric], first.per_query[metric])
    difference = Estimate(interval.mean, interval.low, interval.high, interval.count)
    return Difference(run, metrics.metrics[metric], difference, interval.verdict)
