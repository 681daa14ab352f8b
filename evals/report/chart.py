"""
Charts as inline SVG whose places are percentages, so that they fit any width while their words keep their size.

Every chart has a title and a description that say in words what it shows. Colours come from the style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ragvl.evals.records import Estimate
from ragvl.evals.report.words import with_interval
from ragvl.markup import Html, escape, join

__all__ = ["Axis", "Dot", "Line", "Named", "bar", "nice_top", "plane"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 7.0, 97.0, 9.0, 86.0  # percent of the picture that the plane's edges stand at


@dataclass(frozen=True, slots=True)
class Axis:
    """
    An axis of a plane.

    Attributes:
        ticks: values and how each is written.
        logarithmic: whether equal ratios are equal distances.
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a value stands, from 0 at the low end to 1."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low) if high > low else 0.5


class Named(Protocol):
    """What is drawn: a `Series`, or anything else with a name and the class of its colour."""

    @property
    def name(self) -> str:
        """As it is written beside its mark."""

    @property
    def colour(self) -> str:
        """Class of its marks, "series-1" to "series-6"."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A run on a plane: where it stands, and the bounds of its y value where they are known."""

    series: Named
    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A run's curve on a plane: points from left to right."""

    series: Named
    points: tuple[tuple[float, float], ...]


def bar(estimate: Estimate, top: float, label: str, colour: str) -> Html:
    """
    Draw a mean as a bar from 0, with its interval as a whisker.

    Args:
        top: value at the right end.
        label: what it is, in words; the value is added.
    """
    width = 100 * min(max(estimate.mean / top, 0.0), 1.0)
    whisker = ""
    if estimate.low is not None and estimate.high is not None:
        low, high = (100 * min(max(bound / top, 0.0), 1.0) for bound in (estimate.low, estimate.high))
        ends = "".join(f'<line x1="{x:.2f}%" x2="{x:.2f}%" y1="5" y2="13"/>' for x in (low, high))
        whisker = f'<g class="whisker"><line x1="{low:.2f}%" x2="{high:.2f}%" y1="9" y2="9"/>{ends}</g>'
    described = f"{with_interval(estimate)}, over {estimate.queries} queries"
    return Html(
        f'<svg class="bar {colour}" width="100%" height="18" role="img"><title>{escape(label)}</title>'
        f"<desc>{escape(described)}</desc>"
        f'<rect class="track" width="100%" height="10" y="4" rx="2"/>'
        f'<rect class="fill" width="{width:.2f}%" height="10" y="4" rx="2"/>{whisker}</svg>'
    )


def plane(
    title: str, described: str, x: Axis, y: Axis, dots: Sequence[Dot] = (), lines: Sequence[Line] = ()
) -> Html:
    """Draw dots and lines over two axes."""
    inside = join([_grid(x, y), *(_line(one, x, y) for one in lines), *(_dot(one, x, y) for one in dots)])
    return Html(
        f'<svg class="plane" width="100%" height="340" role="img"><title>{escape(title)}</title>'
        f"<desc>{escape(described)}</desc>{inside}</svg>"
    )


def nice_top(values: Sequence[float]) -> float:
    """Return a round value at or above all values, for the end of an axis that begins at 0; at most 1 for scores."""
    most = max(values, default=1.0)
    if most <= 0:
        return 1.0
    step = float(10 ** math.floor(math.log10(most)))
    return next(step * factor for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * factor >= most * 0.999)


def _grid(x: Axis, y: Axis) -> Html:
    parts = []
    for value, written in y.ticks:
        at = _y(y, value)
        parts.append(f'<line class="rule" x1="{_LEFT}%" x2="{_RIGHT}%" y1="{at}" y2="{at}"/>')
        parts.append(f'<text class="tick end" x="{_LEFT - 1}%" y="{at}" dy="4">{escape(written)}</text>')
    for value, written in x.ticks:
        at = _x(x, value)
        parts.append(f'<line class="rule" x1="{at}" x2="{at}" y1="{_TOP}%" y2="{_BOTTOM}%"/>')
        parts.append(f'<text class="tick middle" x="{at}" y="{_BOTTOM}%" dy="18">{escape(written)}</text>')
    parts.append(f'<text class="axis end" x="{_RIGHT}%" y="100%" dy="-6">{escape(x.label)}</text>')
    parts.append(f'<text class="axis" x="0" y="{_TOP}%" dy="-15">{escape(y.label)}</text>')
    return Html("".join(parts))


def _dot(dot: Dot, x: Axis, y: Axis) -> Html:
    across, up = _x(x, dot.x), _y(y, dot.y)
    whisker = ""
    if dot.low is not None and dot.high is not None:
        whisker = f'<line class="whisker" x1="{across}" x2="{across}" y1="{_y(y, dot.low)}" y2="{_y(y, dot.high)}"/>'
    far = x.share(dot.x) > 0.7
    side, shift = ("end", -12) if far else ("", 12)
    name = f'<text class="label {side}" x="{across}" y="{up}" dx="{shift}" dy="4">{escape(dot.series.name)}</text>'
    return Html(f'<g class="{dot.series.colour}">{whisker}<circle cx="{across}" cy="{up}" r="6"/>{name}</g>')


def _line(line: Line, x: Axis, y: Axis) -> Html:
    points = " ".join(f"{100 * x.share(px):.2f},{100 - 100 * y.share(py):.2f}" for px, py in line.points)
    return Html(
        f'<svg class="curve {line.series.colour}" x="{_LEFT}%" y="{_TOP}%" width="{_RIGHT - _LEFT}%"'
        f' height="{_BOTTOM - _TOP}%" viewBox="0 0 100 100" preserveAspectRatio="none">'
        f'<polyline points="{points}"/></svg>'
    )


def _x(axis: Axis, value: float) -> str:
    return f"{_LEFT + (_RIGHT - _LEFT) * axis.share(value):.2f}%"


def _y(axis: Axis, value: float) -> str:
    return f"{_BOTTOM - (_BOTTOM - _TOP) * axis.share(value):.2f}%"
