"""The report: one self-contained HTML page over one or more runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import ragvl
from ragvl.evals.records import StoredRun
from ragvl.evals.report.answers import answers
from ragvl.evals.report.cost import indexing, latency
from ragvl.evals.report.html import fill, tag, whole_page
from ragvl.evals.report.misses import failures, misses
from ragvl.evals.report.pictures import Pictures
from ragvl.evals.report.provenance import provenance
from ragvl.evals.report.quality import differences, found_pages, groups, headline_metric
from ragvl.evals.report.series import ReportError, Series, chip, series_of
from ragvl.evals.report.words import counted, metric_label, score, with_interval
from ragvl.evals.statistics import INSIDE_THE_NOISE, difference_interval
from ragvl.evals.types import EvalSet
from ragvl.markup import Html, escape, join

__all__ = ["report_page"]


def report_page(runs: Sequence[StoredRun], load: Callable[[str], EvalSet | None] = lambda name: None) -> str:
    """
    Write a report over finished runs of one dataset.

    Args:
        runs: the first one's pages are shown where the queries went worst.
        load: gives the dataset that a run was asked for, whose pages are then shown; None where it is not there.

    Returns:
        The HTML, to be written as UTF-8; it loads nothing and runs no script.

    Raises:
        ReportError: no run, one that is not finished, or runs of different datasets.
    """
    series = series_of(runs)
    _require_one_dataset(series)
    record = series[0].run.record
    with ExitStack() as stack:
        pictures = stack.enter_context(Pictures(load(record.request.dataset)))
        sections = join(
            [
                found_pages(series),
                answers(series),
                differences(series),
                groups(series),
                latency(series),
                indexing(series),
                misses(series, pictures),
                failures(series),
                provenance(series),
            ]
        )
        images = pictures.store()
    body = join([_opening(series), sections])
    foot = f"Written by ragvl {ragvl.__version__}. Intervals are 95 % percentile bootstrap intervals over the queries."
    return whole_page(f"{record.dataset.name}: evaluation", body, foot, images)


def _require_one_dataset(series: Sequence[Series]) -> None:
    first = series[0].run.record.dataset
    for one in series[1:]:
        other = one.run.record.dataset
        if other.name != first.name:
            raise ReportError(
                f"{series[0].run.folder} is a run on {first.name}, {one.run.folder} on {other.name}: "
                "make one report for each dataset"
            )
        if other.digest != first.digest:
            raise ReportError(
                f"{series[0].run.folder} and {one.run.folder} asked different queries of {first.name}, or were "
                "judged differently: run both on the same data, with the same --limit and --language"
            )


def _opening(series: Sequence[Series]) -> Html:
    data = series[0].run.record.dataset
    facts = [
        counted(data.queries, "query", "queries")
        + (f", {data.judged:,} judged" if data.judged != data.queries else ""),
        counted(data.pages, "page")
        + (f" of {counted(data.documents, 'document')}" if data.documents else ""),
    ]
    if data.revision:
        facts.append(f"revision {_short(data.revision)}")
    metric = headline_metric(series)
    scores = join(_score(one, metric) for one in series)
    return fill(
        "opening",
        kicker=data.board or "Evaluation",
        name=data.name,
        facts=join(tag("li", fact) for fact in facts),
        metric=metric_label(metric),
        scores=scores,
        verdict=tag("p", _verdict(series, metric), "verdict-line") if len(series) > 1 else Html(""),
    )


def _short(revision: str) -> str:
    name, colon, digest = revision.partition(":")
    return f"{name}{colon}{digest[:12]}" if colon else revision[:12]


def _score(series: Series, metric: str) -> Html:
    estimate = series.estimate(metric)
    if estimate is None:
        return Html("")
    bounds = with_interval(estimate).partition(" ")[2].strip("[]").replace(", ", " to ")
    return Html(f"<li>{chip(series)}<b>{score(estimate.mean)}</b><span>{escape(bounds)}</span></li>")


def _verdict(series: Sequence[Series], metric: str) -> str:
    """Say which run leads, and whether these queries can tell."""
    ranked = sorted(series, key=lambda one: -(found.mean if (found := one.estimate(metric)) else 0.0))
    best, next_best = ranked[0], ranked[1]
    mine, theirs = best.per_query(metric), next_best.per_query(metric)
    if not mine or mine.keys() != theirs.keys():
        return ""
    interval = difference_interval(mine, theirs)
    if interval.verdict == INSIDE_THE_NOISE:
        return (
            f"{best.name} and {next_best.name} cannot be told apart by these queries: "
            f"{interval.signed} is {INSIDE_THE_NOISE}."
        )
    return f"{best.name} is ahead of {next_best.name} by {interval.signed}: more than the noise."
