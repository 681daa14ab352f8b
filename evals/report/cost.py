"""The sections about what a run costs: time a query against quality, and indexing."""

from __future__ import annotations

from collections.abc import Sequence

from ragvl.evals.records import Latency
from ragvl.evals.report.chart import Axis, Dot, nice_top, plane
from ragvl.evals.report.html import fill, section, tag
from ragvl.evals.report.quality import headline_metric
from ragvl.evals.report.series import Series, chip
from ragvl.evals.report.words import counted, duration, file_size, metric_label, score
from ragvl.markup import Html, escape, join

__all__ = ["indexing", "latency"]

_LATENCIES = (
    ("search", "Search"),
    ("in_document.search", "Search in one document"),
    ("answer", "Answer"),
    ("oracle.answer", "Answer from the judged pages"),
)
_TIMES_S = tuple(digit * 10.0**power for power in range(-5, 4) for digit in (1, 2, 5))


def latency(series: Sequence[Series]) -> Html:
    """Plot the median time of a search against the main metric, and list all times."""
    metric = headline_metric(series)
    dots = [
        Dot(one, one.metrics.latencies["search"].p50_s, found.mean, found.low, found.high)
        for one in series
        if "search" in one.metrics.latencies and (found := one.estimate(metric))
    ]
    chart = _plot(dots, metric) if len(dots) > 1 else Html("")
    rows = join(_times(one) for one in series)
    lead = "Up and to the left is better. Times were taken one query after the other." if chart else ""
    table = fill("latencies", rows=rows) if rows else rows
    return section("latency", "What a query costs", lead, chart, table)


def _plot(dots: Sequence[Dot], metric: str) -> Html:
    times = [max(dot.x, 1e-4) for dot in dots]
    low = max((time for time in _TIMES_S if time <= min(times) * 0.8), default=_TIMES_S[0])
    high = min((time for time in _TIMES_S if time >= max(times) * 1.25), default=max(times) * 2)
    ticks = [time for time in _TIMES_S if low <= time <= high]
    thin = ticks[:: max(1, (len(ticks) + 4) // 6)]
    top = nice_top([dot.high if dot.high is not None else dot.y for dot in dots])
    x = Axis(
        "median time of a search", low, high, tuple((time, duration(time)) for time in thin), logarithmic=True
    )
    y = Axis(metric_label(metric), 0.0, top, score_ticks(top))
    described = "; ".join(f"{dot.series.name}: {duration(dot.x)}, {score(dot.y)}" for dot in dots)
    return plane(f"{metric_label(metric)} against search time", described, x, y, dots)


def score_ticks(top: float) -> tuple[tuple[float, str], ...]:
    """Five ticks from 0 to the top."""
    return tuple((top * step / 4, f"{top * step / 4:.3g}") for step in range(5))


def _times(series: Series) -> Html:
    named = [
        (name, series.metrics.latencies[part])
        for part, name in _LATENCIES
        if part in series.metrics.latencies
    ]
    return join(_time(series, place, len(named), name, taken) for place, (name, taken) in enumerate(named))


def _time(series: Series, place: int, rows: int, name: str, taken: Latency) -> Html:
    run = Html("") if place else Html(f'<th scope="rowgroup" rowspan="{rows}">{chip(series)}</th>')
    cells = join(tag("td", duration(value), "number") for value in (taken.p50_s, taken.p95_s, taken.mean_s))
    return Html(f'<tr>{run}<td>{escape(name)}</td>{cells}<td class="number">{taken.calls:,}</td></tr>')


def indexing(series: Sequence[Series]) -> Html:
    """List what indexing cost, and what could not be indexed."""
    table = fill("indexing", rows=join(_indexed(one) for one in series))
    return section("indexing", "What indexing costs", "", table, *(_not_indexed(one) for one in series))


def _indexed(series: Series) -> Html:
    figures = series.run.record.indexing
    metrics = series.metrics
    took = duration(figures.seconds) if figures.seconds else "ready before"
    cells = [
        f"{figures.pages:,}",
        took,
        f"{metrics.pages_per_s:.3g}" if metrics.pages_per_s else "–",
        file_size(metrics.bytes_per_page) if metrics.bytes_per_page else "–",
        file_size(figures.peak_memory_bytes) if figures.peak_memory_bytes else "–",
        file_size(metrics.peak_memory_bytes) if metrics.peak_memory_bytes else "–",
    ]
    return Html(
        f"<tr><th scope='row'>{chip(series)}</th>{join(tag('td', cell, 'number') for cell in cells)}</tr>"
    )


def _not_indexed(series: Series) -> Html:
    figures = series.run.record.indexing
    if not figures.failed:
        return Html("")
    listed = join(tag("li", reason) for reason in figures.failed)
    title = (
        f"{series.name}: {counted(len(figures.failed), 'document or page', 'documents or pages')} not indexed"
    )
    return Html(f"<details><summary>{escape(title)}</summary><ul class='plain'>{listed}</ul></details>")
