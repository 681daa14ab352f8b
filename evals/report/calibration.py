"""The page about a calibration: what each threshold costs, and the one that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import ragvl
from ragvl.evals.calibration import Calibrated
from ragvl.evals.report.chart import Axis, Dot, Line, plane
from ragvl.evals.report.html import fill, section, tag, whole_page
from ragvl.evals.report.words import counted
from ragvl.evals.threshold import Level, cost_of, level_of
from ragvl.markup import Html, join

__all__ = ["calibration_page"]

_FEWEST = 5  # answers; the share of wrong ones among fewer jumps about


@dataclass(frozen=True, slots=True)
class _Mark:
    name: str
    colour: str


_SEEN = _Mark("wrong page cited", "series-1")
_BOUND = _Mark("at most", "series-6")
_PROMISED = _Mark("asked for", "series-3")
_CHOSEN = _Mark("chosen", "series-1")
_SHIPPED = _Mark("as shipped", "series-2")


def calibration_page(title: str, verdict: str, calibrated: Calibrated) -> str:
    """
    Write a calibration as one self-contained HTML page.

    Args:
        title: names the questions.
        verdict: what came of it, a sentence or two.

    Returns:
        The HTML, to be written as UTF-8; it loads nothing and runs no script.
    """
    levels = calibrated.levels
    asked = levels[0].asked
    facts = [
        counted(asked, "question"),
        counted(calibrated.documents, "document"),
        f"promise: {calibrated.promise.error:.0%} wrong at most",
        f"confidence: {calibrated.promise.confidence:.0%}",
    ]
    body = join(
        [
            fill(
                "opening",
                kicker="When to refuse",
                name=title,
                facts=join(tag("li", fact) for fact in facts),
                metric="",
                scores=Html(""),
                verdict=tag("p", verdict, "verdict-line"),
            ),
            section(
                "curve",
                "What answering more costs",
                "Wrong pages among the answers given, when the best supported questions are answered first. The "
                "grey line is the upper bound of that share; a promise needs it at or under the share asked for.",
                _key(),
                _curve(calibrated),
            ),
            section(
                "thresholds",
                "Thresholds",
                f"{calibrated.why[0].upper()}{calibrated.why[1:]}.",
                _table(calibrated),
            ),
        ]
    )
    return whole_page(title, body, f"Written by ragvl {ragvl.__version__}.", Html(""))


def _key() -> Html:
    names = join(
        tag("li", Html(f'<span class="name {one.colour}"><i aria-hidden="true"></i>{one.name}</span>'))
        for one in (_SEEN, _BOUND, _PROMISED)
    )
    return Html(f'<ul class="key">{names}</ul>')


def _curve(calibrated: Calibrated) -> Html:
    support, right = calibrated.support, calibrated.right
    asked = calibrated.levels[0].asked
    sure = level_of(len(right), calibrated.promise)
    points = [cost_of(support, right, asked, float(one), sure) for one in np.unique(support)[::-1]]
    points = [one for one in points if one.answered >= _FEWEST]
    ticks = tuple((value / 4, f"{25 * value} %") for value in range(5))
    lines = [
        Line(_SEEN, tuple((one.answered_share, one.wrong_share) for one in points)),
        Line(_BOUND, tuple((one.answered_share, one.wrong_at_most) for one in points)),
        Line(_PROMISED, ((0.0, calibrated.promise.error), (1.0, calibrated.promise.error))),
    ]
    named = [(_CHOSEN, calibrated.chosen), (_SHIPPED, calibrated.shipped)]
    dots = [Dot(mark, one.answered_share, one.wrong_share) for mark, one in named if one and one.answered]
    told = "; ".join(
        f"{mark.name}: refuses below {one.refuse_below:.2f}, answers {one.answered_share:.0%}, {one.wrong_share:.0%} wrong"
        for mark, one in named
        if one
    )
    x = Axis("share of the questions answered", 0.0, 1.0, ticks)
    y = Axis("wrong among them", 0.0, 1.0, ticks)
    return plane("Wrong pages against questions answered", told, x, y, dots=dots, lines=lines)


def _table(calibrated: Calibrated) -> Html:
    heads = join(
        Html(f'<th scope="col" class="number">{name}</th>')
        for name in ("refuse below", "answered", "wrong page cited", "at most")
    )
    rows = join(_row(one, one == calibrated.chosen) for one in calibrated.levels)
    return Html(
        f'<div class="wide-table"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(level: Level, is_chosen: bool) -> Html:
    cells: Sequence[str] = (
        f"{level.refuse_below:.3f}{' (chosen)' if is_chosen else ''}",
        f"{level.answered} of {level.asked} ({level.answered_share:.0%})",
        f"{level.wrong} ({level.wrong_share:.0%})" if level.answered else "-",
        f"{level.wrong_at_most:.0%}" if level.answered else "-",
    )
    return tag(
        "tr", join(Html(f'<td class="number">{tag("b", cell) if is_chosen else cell}</td>') for cell in cells)
    )
