"""Draw the charts of the example documents as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from examples import palette
from examples.canvas import Box, Point, Sheet, ring
from examples.palette import Color, Style

__all__ = ["Axis", "bars", "donut", "level_bars", "line_chart", "stacked_bars"]

_TICK = palette.SMALL
_VALUE = Style("hebo", 7.8, 10, palette.NAVY)


@dataclass(frozen=True)
class Axis:
    """A vertical axis from zero to top, with a gridline every step, as wide as its box."""

    box: Box
    top: float
    step: float

    def y(self, value: float) -> float:
        """Return the height on the page of a value."""
        _, y0, _, y1 = self.box
        return y1 - (y1 - y0) * value / self.top

    def slot(self, index: int, count: int) -> float:
        """Return the centre of one of ``count`` equal slots along the box."""
        x0, _, x1, _ = self.box
        return x0 + (x1 - x0) * (index + 0.5) / count

    def draw(self, sheet: Sheet, tick: Style = _TICK, rule: Color = palette.RULE) -> None:
        """Draw gridlines with their values at the left."""
        x0, _, x1, _ = self.box
        value = 0.0
        while value <= self.top + 1e-9:
            y = self.y(value)
            sheet.line([(x0, y), (x1, y)], palette.SLATE if value == 0 else rule, 0.5)
            sheet.text((x0 - 8, y + tick.size_pt * 0.34), f"{value:,.0f}", tick, align="right")
            value += self.step


def stacked_bars(
    sheet: Sheet,
    axis: Axis,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float], Color]],
) -> None:
    """Draw stacked bars, each part labelled with its value and each bar with its total."""
    axis.draw(sheet)
    width = (axis.box[2] - axis.box[0]) / len(labels) * 0.58
    for index, label in enumerate(labels):
        center = axis.slot(index, len(labels))
        base = 0.0
        for _, values, color in series:
            top = base + values[index]
            sheet.rect((center - width / 2, axis.y(top), center + width / 2, axis.y(base)), color)
            _bar_label(sheet, (center, axis.y((base + top) / 2)), values[index], color)
            base = top
        total = (center, axis.y(base) - 6)
        sheet.text(total, f"{base:,.0f}", _VALUE.sized(9.2), align="center")
        sheet.text((center, axis.box[3] + 14), label, _TICK, align="center")


def _bar_label(sheet: Sheet, center: Point, value: float, fill: Color) -> None:
    """Write a value inside a bar in ink or white, whichever is easier to read."""
    red, green, blue = fill
    is_dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.6
    style = Style("helv", 7.2, 9, palette.WHITE if is_dark else palette.NAVY)
    sheet.text((center[0], center[1] + 2.5), f"{value:,.0f}", style, align="center")


def bars(
    sheet: Sheet,
    axis: Axis,
    items: Sequence[tuple[str, float]],
    *,
    peak_color: Color,
    tick: Style,
    value: Style,
) -> None:
    """Draw one bar for each item, the two highest in the peak colour, values on top."""
    axis.draw(sheet, tick)
    peaks = sorted((amount for _, amount in items), reverse=True)[:2]
    width = (axis.box[2] - axis.box[0]) / len(items) * 0.66
    for index, (label, amount) in enumerate(items):
        center = axis.slot(index, len(items))
        fill = peak_color if amount in peaks else palette.TEAL
        sheet.rect((center - width / 2, axis.y(amount), center + width / 2, axis.y(0)), fill)
        sheet.text((center, axis.y(amount) - 5), f"{amount:,.0f}", value, align="center")
        sheet.text((center, axis.box[3] + tick.size_pt * 1.7), label, tick, align="center")


def line_chart(
    sheet: Sheet, axis: Axis, items: Sequence[tuple[str, float]], color: Color = palette.CORAL
) -> None:
    """Draw a line through labelled points, the area below it tinted."""
    axis.draw(sheet)
    points = [(axis.slot(i, len(items)), axis.y(value)) for i, (_, value) in enumerate(items)]
    floor = axis.y(0)
    outline = [(points[0][0], floor), *points, (points[-1][0], floor)]
    sheet.polygon(outline, color, opacity=0.12)
    sheet.line(points, color, 1.8)
    for (label, value), point in zip(items, points, strict=True):
        sheet.circle(point, 3.4, palette.WHITE, stroke=color, width=1.6)
        sheet.text((point[0], point[1] - 9), f"{value:.1f}", _VALUE.sized(9), align="center")
        sheet.text((point[0], axis.box[3] + 14), label, _TICK, align="center")


def donut(
    sheet: Sheet, center: Point, radii: tuple[float, float], parts: Sequence[tuple[float, Color]]
) -> None:
    """Draw a ring divided in proportion to the parts, clockwise from the top."""
    inner, outer = radii
    total = sum(amount for amount, _ in parts)
    gap_deg = 1.4
    start = 0.0
    for amount, color in parts:
        end = start + 360 * amount / total
        outline = ring(center, outer, start + gap_deg / 2, end - gap_deg / 2)
        outline += reversed(ring(center, inner, start + gap_deg, end - gap_deg))
        sheet.polygon(outline, color)
        start = end


def level_bars(
    sheet: Sheet,
    box: Box,
    items: Sequence[tuple[str, float]],
    *,
    label: Style,
    value: Style,
) -> None:
    """Draw horizontal bars of percentages with the label above each bar."""
    x0, y0, x1, y1 = box
    pitch = (y1 - y0) / len(items)
    longest = max(amount for _, amount in items)
    for index, (name, amount) in enumerate(items):
        y = y0 + pitch * index
        length = (x1 - x0 - 52) * amount / longest
        sheet.text((x0, y + label.size_pt), name, label)
        top = y + label.size_pt + 7
        color = palette.CORAL if index == 0 else palette.TEAL
        sheet.rect((x0, top, x0 + length, top + 10), color, radius_pt=5)
        sheet.text((x0 + length + 9, top + 9.5), f"{amount:.0f}%", value)
