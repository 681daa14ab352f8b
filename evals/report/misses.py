"""The sections about single queries: those that went worst, with their pages, and those that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ragvl.evals.report.html import fill, section, tag
from ragvl.evals.report.pictures import Pictures
from ragvl.evals.report.quality import headline_metric
from ragvl.evals.report.series import Series, chip
from ragvl.evals.report.words import counted, is_search, metric_label, score
from ragvl.evals.types import EvalQuery
from ragvl.markup import Html, escape, join

__all__ = ["failures", "misses"]

_MOST_MISSES = 8
_MOST_OF_A_DOCUMENT = 2
_JUDGED_SHOWN, _FOUND_SHOWN, _MORE_NAMED = 2, 3, 6
_MOST_FAILURES = 50
_FAR = 1_000_000  # the rank of what was not found


def misses(series: Sequence[Series], pictures: Pictures) -> Html:
    """Show the queries whose pages the first run ranked worst: the judged pages beside those that were found."""
    metric = headline_metric(series)
    if not is_search(metric):
        return Html("")
    chosen = _worst(series, metric)
    if not chosen:
        return Html("")
    cards = join(_card(place, query, series, metric, pictures) for place, query in enumerate(chosen, 1))
    whose = f" for {series[0].name}" if len(series) > 1 else ""
    lead = f"The queries that went worst{whose}: on the left the judged pages, on the right what was found first."
    return section("misses", "Where it went wrong", lead, cards)


def _worst(series: Sequence[Series], metric: str) -> list[EvalQuery]:
    first = series[0]
    judged = [query for query in first.run.queries if query.id in first.run.relevance]

    def place(query: EvalQuery) -> tuple[float, float, float]:
        """The first run's own value, then what all of them have, then how far away the judged pages were."""
        values = [one.per_query(metric).get(query.id, 0.0) for one in series]
        ranks = [_best_rank(one, query.id) or _FAR for one in series]
        return values[0], sum(values), -min(ranks)

    chosen: list[EvalQuery] = []
    seen: Counter[str] = Counter()
    for query in sorted((one for one in judged if _asked(first, one.id)), key=place):
        if len(chosen) == _MOST_MISSES or place(query)[0] >= 1:
            break
        source = query.document or query.id
        if seen[source] < _MOST_OF_A_DOCUMENT:
            seen[source] += 1
            chosen.append(query)
    return chosen


def _asked(series: Series, query: str) -> bool:
    return query in series.run.outcomes and not series.run.outcomes[query].result.error


def _card(place: int, query: EvalQuery, series: Sequence[Series], metric: str, pictures: Pictures) -> Html:
    first = series[0]
    grades = first.run.relevance[query.id]
    judged = sorted(grades, key=lambda page: (-grades[page], page))
    found = _ranked(first.run.outcomes[query.id].result.scores)
    return fill(
        "miss",
        anchor=f"miss-{place}",
        question=query.text,
        facts=_facts(query),
        runs=join(_of_run(one, query, metric) for one in series),
        judged=join(
            _page(page, "", page in found[:_FOUND_SHOWN], query.id, pictures)
            for page in judged[:_JUDGED_SHOWN]
        ),
        more=_more(judged, pictures),
        found=join(
            _page(page, str(rank), page in grades, query.id, pictures)
            for rank, page in enumerate(found[:_FOUND_SHOWN], 1)
        )
        or tag("li", "Nothing was found.", "nothing"),
    )


def _facts(query: EvalQuery) -> Html:
    told = [f"Query {query.id}"]
    if query.answers:
        told.append(f"reference answer: {' / '.join(query.answers)}")
    return tag("p", "; ".join(told), "small")


def _of_run(series: Series, query: EvalQuery, metric: str) -> Html:
    outcome = series.run.outcomes.get(query.id)
    if outcome is None or outcome.result.error:
        told = "failed"
    else:
        rank = _best_rank(series, query.id)
        where = (
            f"best judged page at rank {rank}"
            if rank
            else f"no judged page within {series.run.record.request.k}"
        )
        told = f"{where}, {metric_label(metric)} {score(series.per_query(metric).get(query.id, 0.0))}"
    answer = outcome.result.answer if outcome else None
    said = (
        tag(
            "span",
            f"answered: {_shorten(answer.text)}" if not answer.refused else "refused to answer",
            "said",
        )
        if answer
        else Html("")
    )
    return Html(f"<li>{chip(series)} <span>{escape(told)}</span>{said}</li>")


def _shorten(text: str, length: int = 240) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[:length].rsplit(None, 1)[0] + " …"


def _page(page: str, rank: str, both: bool, query: str, pictures: Pictures) -> Html:
    document, place = pictures.place(page)
    note = ("judged" if rank else "found") if both else ""
    return fill(
        "miss_page",
        figure=pictures.figure(page, query),
        rank=Html(f'<span class="rank"><span class="hidden">Rank </span>{rank}</span>') if rank else Html(""),
        document=document,
        place=place,
        note=tag("span", note, "verdict better") if note else Html(""),
    )


def _more(judged: Sequence[str], pictures: Pictures) -> Html:
    left = judged[_JUDGED_SHOWN:]
    if not left:
        return Html("")
    named = ", ".join(pictures.place(page)[1] or page for page in left[:_MORE_NAMED])
    return tag(
        "p",
        f"and {counted(len(left), 'more judged page')}: {named}{' …' if len(left) > _MORE_NAMED else ''}",
        "small",
    )


def _best_rank(series: Series, query: str) -> int:
    """Rank from 1 of the first judged page; 0 when none was found."""
    outcome = series.run.outcomes.get(query)
    relevance = series.run.relevance.get(query, {})
    ranked = _ranked(outcome.result.scores) if outcome else []
    return next((rank for rank, page in enumerate(ranked, 1) if page in relevance), 0)


def _ranked(scores: Mapping[str, float]) -> list[str]:
    """Pages best first; equal scores in the order of trec_eval, the higher id first."""
    return sorted(scores, key=lambda page: (scores[page], page), reverse=True)


def failures(series: Sequence[Series]) -> Html:
    """List queries that failed, with the reason."""
    rows = []
    for one in series:
        failed = [outcome for outcome in one.run.outcomes.values() if outcome.errors]
        texts = {query.id: query.text for query in one.run.queries}
        rows += [
            Html(
                f"<tr><td>{chip(one)}</td><td>{escape(outcome.query)}</td><td>{escape(texts.get(outcome.query, ''))}</td>"
                f"<td>{escape('; '.join(dict.fromkeys(outcome.errors)))}</td></tr>"
            )
            for outcome in failed
        ]
    if not rows:
        return Html("")
    shown = fill("failures", rows=join(rows[:_MOST_FAILURES]))
    left = len(rows) - _MOST_FAILURES
    more = tag("p", f"{counted(left, 'more failure')} not shown.", "small") if left > 0 else Html("")
    return section(
        "failures", "Queries that failed", "A query that fails counts as one that finds nothing.", shown, more
    )
