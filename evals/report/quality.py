"""The sections about how well pages are found: metrics, differences between runs, and breakdowns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from ragvl.evals.records import Estimate
from ragvl.evals.report.bars import bar_rows, key
from ragvl.evals.report.html import fill, section, tag
from ragvl.evals.report.series import Series, chip
from ragvl.evals.report.words import counted, is_search, less_is_better, metric_label, ordered
from ragvl.evals.statistics import BETTER, WORSE, Interval, difference_interval
from ragvl.markup import Html, escape, join

__all__ = ["differences", "found_pages", "groups", "headline_metric"]

_COMPARED = ("citation_f1", "region_f1", "refusal_accuracy", "context_recall")
_MOST_VALUES = 12  # of a dimension; the largest ones are shown
_FEWEST_QUERIES = 2  # of a value


def headline_metric(series: Sequence[Series]) -> str:
    """The metric that stands for the runs: their main one, or where pages are not judged the first that they share."""
    main = series[0].metrics.main
    shared = [name for name in series[0].metrics.metrics if all(one.estimate(name) for one in series)]
    return main if main in shared or not shared else ordered(shared, main)[0]


def found_pages(series: Sequence[Series]) -> Html:
    """Draw every metric of searches, over all documents and inside the query's own."""
    main = headline_metric(series)
    names = {name for one in series for name in one.metrics.metrics if is_search(name)}
    everywhere = ordered([name for name in names if not name.startswith("in_document.")], main)
    inside = ordered([name for name in names if name.startswith("in_document.")], f"in_document.{main}")
    parts = [key(series), bar_rows([_row(name, series) for name in everywhere], series)]
    if inside:
        parts.append(tag("h3", "When the document is known"))
        parts.append(bar_rows([_row(name, series) for name in inside], series))
    lead = "Bars are means over the judged queries; whiskers hold 95 % of what other samples of queries would give."
    return section("found", "How well pages are found", lead if names else "", *parts) if names else Html("")


def _row(name: str, series: Sequence[Series]) -> tuple[str, str, dict[str, Estimate]]:
    estimates = {one.name: found for one in series if (found := one.estimate(name))}
    label = metric_label(name.removeprefix("in_document."))
    return label, "", estimates


def differences(series: Sequence[Series]) -> Html:
    """Compare every two runs question by question, and say in words what may be said of it."""
    rows = [row for one, other in combinations(series, 2) for row in _compared(one, other)]
    if not rows:
        return Html("")
    lead = (
        "Differences are taken question by question. One whose 95 % interval holds zero is inside the noise: "
        "these questions cannot tell the two apart."
    )
    return section(
        "differences", "What the differences are worth", lead, fill("differences", rows=join(rows))
    )


def _compared(one: Series, other: Series) -> Iterator[Html]:
    main = headline_metric([one, other])
    for metric in _worth_comparing(one, other, main):
        mine, theirs = one.per_query(metric), other.per_query(metric)
        if mine.keys() != theirs.keys():
            why = f"not comparable: {counted(len(mine.keys() ^ theirs.keys()), 'query', 'queries')} scored on one side only"
            yield _difference(one, other, metric, "–", why, "unlike")
            continue
        interval = difference_interval(mine, theirs)
        yield _difference(one, other, metric, interval.signed, *_verdict(interval, metric))


def _worth_comparing(one: Series, other: Series, main: str) -> list[str]:
    """The main metric, the same inside documents, recall at 10, and what sums up answers."""
    shared = one.metrics.per_query.keys() & other.metrics.per_query.keys()
    chosen = {
        metric
        for metric in shared
        if metric in {main, f"in_document.{main}", "recall@10", *_COMPARED} or "answer." in metric
    }
    return ordered(chosen, main)


def _verdict(interval: Interval, metric: str) -> tuple[str, str]:
    """The verdict, and its class; where less is better, better is worse."""
    verdict = interval.verdict
    if less_is_better(metric) and verdict in {BETTER, WORSE}:
        verdict = WORSE if verdict == BETTER else BETTER
    return verdict, verdict.split()[0]


def _difference(one: Series, other: Series, metric: str, value: str, verdict: str, kind: str) -> Html:
    return fill(
        "difference",
        one=chip(one),
        other=chip(other),
        metric=metric_label(metric),
        value=value,
        verdict=verdict,
        kind=kind,
    )


def groups(series: Sequence[Series]) -> Html:
    """Break the main metric down by every dimension that the queries have."""
    main = headline_metric(series)
    dimensions = dict.fromkeys(name for one in series for name in one.metrics.groups)
    blocks = [_dimension(name, main, series) for name in dimensions]
    drawn = join(block for block in blocks if block)
    if not drawn:
        return Html("")
    lead = f"{metric_label(main)} by what is asked and where the answer stands; the largest groups first."
    return section("groups", "Where it is strong and weak", lead, key(series), drawn)


def _dimension(name: str, main: str, series: Sequence[Series]) -> Html:
    sizes: dict[str, int] = {}
    for one in series:
        for value, metrics in one.metrics.groups.get(name, {}).items():
            if main in metrics:
                sizes[value] = max(sizes.get(value, 0), metrics[main].queries)
    largest = sorted(
        (value for value in sizes if sizes[value] >= _FEWEST_QUERIES),
        key=lambda value: (-sizes[value], value),
    )
    if len(largest) < 2:
        return Html("")
    rows = []
    for value in largest[:_MOST_VALUES]:
        estimates = {
            one.name: one.metrics.groups[name][value][main]
            for one in series
            if main in one.metrics.groups.get(name, {}).get(value, {})
        }
        rows.append((value, counted(sizes[value], "query", "queries"), estimates))
    left = len(sizes) - len(rows)
    more = tag("p", f"{counted(left, 'smaller group')} not shown.", "small") if left else Html("")
    return Html(f"<h3>By {escape(name)}</h3>{bar_rows(rows, series)}{more}")
