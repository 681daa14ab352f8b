"""Draw tables with hairlines, right-aligned figures and emphasised totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from examples import palette
from examples.canvas import Align, Point, Sheet
from examples.palette import Color, Style

__all__ = ["Column", "Row", "Table"]


@dataclass(frozen=True)
class Column:
    """A column: its heading, its width in points and its alignment."""

    heading: str
    width: float
    align: Align = "right"


@dataclass(frozen=True)
class Row:
    """A row of cells; a total row is bold with a rule above it."""

    cells: tuple[str, ...]
    is_total: bool = False


@dataclass(frozen=True)
class Table:
    """
    A table ready to draw.

    Attributes:
        columns: from left to right.
        rows: from top to bottom.
        row_height: distance between baselines in points.
        cell: type of ordinary cells.
        total: type of total rows.
        rule: colour of the hairlines.
        highlight: index of a column set on a tint, none if negative.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    row_height: float = 17.5
    cell: Style = palette.CELL
    total: Style = palette.CELL_BOLD
    heading: Style = field(default=palette.SMALL)
    rule: Color = palette.RULE
    highlight: int = -1

    def draw(self, sheet: Sheet, at: Point) -> float:
        """Draw with the heading's baseline at a point; return the y below the last row."""
        x, y = at
        self._draw_tint(sheet, at)
        headings = tuple(column.heading for column in self.columns)
        self._draw_cells(sheet, (x, y), headings, self.heading)
        y += self.row_height * 0.42
        self._draw_rule(sheet, (x, y), palette.NAVY, 0.9)
        for index, row in enumerate(self.rows):
            if row.is_total and index:
                self._draw_rule(sheet, (x, y), palette.NAVY, 0.6)
            elif index:
                self._draw_rule(sheet, (x, y), self.rule, 0.4)
            baseline = y + self.row_height * 0.66
            self._draw_cells(sheet, (x, baseline), row.cells, self._style(row))
            y += self.row_height
        self._draw_rule(sheet, (x, y), palette.NAVY, 0.9)
        return y

    @property
    def width(self) -> float:
        """Width in points."""
        return sum(column.width for column in self.columns)

    def _style(self, row: Row) -> Style:
        return self.total if row.is_total else self.cell

    def _draw_rule(self, sheet: Sheet, at: Point, color: Color, width: float) -> None:
        sheet.line([at, (at[0] + self.width, at[1])], color, width)

    def _draw_tint(self, sheet: Sheet, at: Point) -> None:
        if self.highlight < 0:
            return
        left = at[0] + sum(column.width for column in self.columns[: self.highlight])
        right = left + self.columns[self.highlight].width
        bottom = at[1] + self.row_height * (0.42 + len(self.rows))
        sheet.rect((left, at[1] - self.row_height * 0.75, right, bottom), palette.MIST, opacity=0.6)

    def _draw_cells(self, sheet: Sheet, at: Point, cells: Sequence[str], style: Style) -> None:
        x, y = at
        pad = 6.0
        for index, (column, cell) in enumerate(zip(self.columns, cells, strict=True)):
            left = x + (0 if index == 0 else pad)
            anchor = {"left": left, "center": x + column.width / 2, "right": x + column.width - pad}
            sheet.text((anchor[column.align], y), cell, style, align=column.align)
            x += column.width
