"""The section about answers: how right they are, what the right pages would have changed, and how sure they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ragvl.evals.records import Estimate
from ragvl.evals.report.bars import bar_rows, key
from ragvl.evals.report.chart import Axis, Line, plane
from ragvl.evals.report.html import section, tag
from ragvl.evals.report.risk import risk_curve
from ragvl.evals.report.series import Series
from ragvl.evals.report.words import is_search, less_is_better, metric_label, ordered, score
from ragvl.evals.statistics import mean_interval
from ragvl.markup import Html, join

__all__ = ["answers"]

_ORACLE, _CONTEXT = "oracle.", "context_recall"
_PREFERRED = (
    "answer.accuracy",
    "answer.f1",
    "answer.anls",
    "answer.relaxed_accuracy",
    "answer.exact_match",
    "answer.list_f1",
)


def answers(series: Sequence[Series]) -> Html:
    """Draw the metrics of answers, of the runs that have any."""
    answering = [one for one in series if any(not is_search(name) for name in one.metrics.metrics)]
    if not answering:
        return Html("")
    names = {
        name
        for one in answering
        for name in one.metrics.metrics
        if not is_search(name) and _ORACLE not in name
    }
    main = next((name for name in _PREFERRED if name in names), "")
    cited = {name for name in names if name.startswith(("citation_", "region_"))}
    refused = {name for name in names if name.startswith("refusal_")}
    parts = [
        key(answering),
        _bars("", names - cited - refused - {_CONTEXT}, main, answering),
        _bars("Citations, and where on the page they point", cited, "", answering),
        _bars("Refusals", refused, "", answering),
        _refusals(answering),
        _context(main, answering),
        _risk(main, answering),
    ]
    return section("answers", "How well questions are answered", "", *parts)


def _bars(title: str, names: Collection[str], main: str, series: Sequence[Series]) -> Html:
    rows = [
        (metric_label(name), "less is better" if less_is_better(name) else "", _estimates(name, series))
        for name in ordered(names, main)
    ]
    heading = tag("h3", title) if title and rows else Html("")
    return join([heading, bar_rows(rows, series)])


def _estimates(name: str, series: Sequence[Series]) -> dict[str, Estimate]:
    return {one.name: found for one in series if (found := one.estimate(name))}


def _refusals(series: Sequence[Series]) -> Html:
    told = [
        f"{one.name} answered {one.metrics.counts['answered'] - one.metrics.counts['refused']:,} of "
        f"{one.metrics.counts['answered']:,} questions and refused the others."
        for one in series
        if "refused" in one.metrics.counts and one.metrics.counts.get("answered")
    ]
    return tag("p", " ".join(told), "small") if told else Html("")


def _context(main: str, series: Sequence[Series]) -> Html:
    """Set answers from the pages found beside answers from the judged pages, and the share of those in the context."""
    recall = _estimates(_CONTEXT, series)
    oracle = _estimates(f"{_ORACLE}{main}", series)
    rows = []
    if recall:
        rows.append(("Context recall", "judged pages that the generator was given", recall))
    if oracle:
        retrieved = {one.name: _over_oracle(main, one) for one in series if one.name in oracle}
        rows.append((metric_label(main), "from the pages found", retrieved))
        rows.append((metric_label(main), "from the judged pages", oracle))
    if not rows:
        return Html("")
    lead = tag(
        "p",
        "Over the questions that have judged pages. What the last bar lacks is the generator's; what it has and the "
        "bar above it lacks is the search's.",
        "lead",
    )
    return join(
        [
            tag("h3", "The search's part and the generator's"),
            lead if oracle else Html(""),
            bar_rows(rows, series),
        ]
    )


def _over_oracle(main: str, series: Series) -> Estimate:
    """The metric over the queries that were answered from the judged pages too, so that the two can be compared."""
    both = series.per_query(f"{_ORACLE}{main}").keys()
    interval = mean_interval([value for query, value in series.per_query(main).items() if query in both])
    return Estimate(interval.mean, interval.low, interval.high, interval.count)


def _risk(main: str, series: Sequence[Series]) -> Html:
    curves = [
        (one, curve)
        for one in series
        if (curve := risk_curve(one.per_query(main), one.run.outcomes)) is not None
    ]
    curves = [(one, curve) for one, curve in curves if len(curve.points) > 1]
    if not curves:
        return Html("")
    told = "; ".join(
        f"{one.name}: area {score(curve.area)}, {100 * curve.answered:.0f} % of the questions answered"
        for one, curve in curves
    )
    ticks = tuple((value / 4, f"{25 * value} %") for value in range(5))
    x = Axis("share of the questions answered", 0.0, 1.0, ticks)
    y = Axis("wrong among them", 0.0, 1.0, ticks)
    lines = [Line(one, curve.points) for one, curve in curves]
    lead = "Answers are taken in the order of the system's own confidence: a useful one begins low and climbs late."
    return join(
        [
            tag("h3", "Risk against coverage"),
            tag("p", lead, "lead"),
            plane("Risk against coverage", told, x, y, lines=lines),
            tag("p", f"{told}. Less area is better.", "small"),
        ]
    )
