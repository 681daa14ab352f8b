"""A plot of cost by size, both axes logarithmic, as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

__all__ = ["draw"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 500, 30, 340
_COLOURS = ("#2f6f9f", "#b5532a", "#5a8f3c", "#7a5aa8")


def draw(sizes: Sequence[int], lines: Mapping[str, Sequence[float]], title: str) -> str:
    """Draw seconds (the lines' values) over pages."""
    low = math.floor(math.log10(min(map(min, lines.values()))))
    high = math.ceil(math.log10(max(map(max, lines.values()))))
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(size: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (math.log10(size) - first) / ((last - first) or 1)

    def y(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (math.log10(value) - low) / ((high - low) or 1)

    opening = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" font-family="system-ui, sans-serif" '
        f'font-size="12" fill="#444"><title>{title}</title><rect width="640" height="400" fill="#fff"/>'
    )
    parts = [opening]
    for power in range(low, high + 1):
        at = y(10.0**power)
        label = f"{10.0**power:g} s" if power >= 0 else f"{10.0 ** (power + 3):g} ms"
        parts.append(f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#d8d8d4"/>')
        parts.append(f'<text x="{_LEFT - 10}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')
    for size in sizes:
        parts.append(f'<text x="{x(size):.1f}" y="{_BOTTOM + 20}" text-anchor="middle">{size:,}</text>')
    parts.append(
        f'<text x="{(_LEFT + _RIGHT) / 2:.0f}" y="{_BOTTOM + 44}" text-anchor="middle">{title}</text>'
    )
    ends = _apart({name: y(values[-1]) for name, values in lines.items()})
    for colour, (name, values) in zip(_COLOURS, lines.items(), strict=False):
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for point in points.split():
            cx, cy = point.split(",")
            parts.append(f'<circle cx="{cx}" cy="{cy}" r="3" fill="{colour}"/>')
        parts.append(f'<text x="{_RIGHT + 10}" y="{ends[name] + 4:.1f}" fill="{colour}">{name}</text>')
    return "".join([*parts, "</svg>\n"])


def _apart(heights: Mapping[str, float]) -> dict[str, float]:
    """Labels at least a line from each other."""
    placed: dict[str, float] = {}
    for name, at in sorted(heights.items(), key=lambda item: item[1]):
        placed[name] = max(at, max(placed.values(), default=-math.inf) + 15)
    return placed
