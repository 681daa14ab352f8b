"""Markdown tables, ready for docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["markdown", "ratio", "seconds"]


def markdown(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out one table under its title; the first column is text, the others are right-aligned."""
    lines = [f"### {title}", "", _row(header), _row(["---", *["---:"] * (len(header) - 1)])]
    return "\n".join([*lines, *map(_row, rows), ""])


def seconds(value_s: float) -> str:
    """Write a duration in the unit that suits it."""
    return f"{value_s * 1000:.0f} ms" if value_s < 1 else f"{value_s:.2f} s"


def ratio(value: float, baseline: float) -> str:
    """Write a value as a multiple of the baseline's; "-" where there is none."""
    return f"{value / baseline:.2f} x" if baseline else "-"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
