"""Rows of bars: one quantity a row, one bar a run, all on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ragvl.evals.records import Estimate
from ragvl.evals.report.chart import bar
from ragvl.evals.report.html import fill, tag
from ragvl.evals.report.series import Series, chip
from ragvl.evals.report.words import score
from ragvl.markup import Html, join

__all__ = ["bar_rows", "key"]


def key(series: Sequence[Series]) -> Html:
    """Say which colour is which run; nothing when there is only one."""
    if len(series) < 2:
        return Html("")
    names = join(tag("li", chip(one)) for one in series)
    return Html(f'<ul class="key">{names}</ul>')


def bar_rows(
    rows: Sequence[tuple[str, str, Mapping[str, Estimate]]], series: Sequence[Series], top: float = 1.0
) -> Html:
    """
    Draw rows.

    Args:
        rows: label, a note beside it, and run name to estimate.
        series: the runs, in the order of their bars.
        top: value at the right end of every bar.
    """
    drawn = join(_row(*row, series, top) for row in rows)
    return Html(f'<div class="bars">{drawn}</div>') if drawn else drawn


def _row(
    label: str, note: str, estimates: Mapping[str, Estimate], series: Sequence[Series], top: float
) -> Html:
    bars = join(
        fill(
            "bar",
            svg=bar(estimates[one.name], top, f"{label}, {one.name}", one.colour),
            mean=score(estimates[one.name].mean),
            bounds=_bounds(estimates[one.name]),
        )
        for one in series
        if one.name in estimates
    )
    return (
        fill("bar_row", label=label, note=tag("span", note) if note else Html(""), bars=bars)
        if bars
        else bars
    )


def _bounds(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{score(estimate.low)} to {score(estimate.high)}"
