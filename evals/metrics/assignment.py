"""The best one-to-one assignment of rows to columns (Hungarian method)."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["assign"]


def assign(gains: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """
    Return the pairs of rows and columns, ascending by row, whose gains add up to the most; as many as the shorter side.

    Shortest augmenting paths with potentials: O(rows^2 columns) for rows no more than columns. Equal sums are decided
    by the lowest column.

    Args:
        gains: rows of the same length.
    """
    if not gains or not gains[0]:
        return []
    if len(gains) > len(gains[0]):
        return sorted((row, column) for column, row in assign(list(zip(*gains, strict=True))))
    width = len(gains[0])
    row_of = [-1] * width
    of_row, of_column = [0.0] * len(gains), [0.0] * width
    for start in range(len(gains)):
        _augment(gains, start, row_of, of_row, of_column)
    return sorted((row, column) for column, row in enumerate(row_of) if row >= 0)


def _augment(
    gains: Sequence[Sequence[float]],
    start: int,
    row_of: list[int],
    of_row: list[float],
    of_column: list[float],
) -> None:
    """Give row `start` a column, moving other rows along the cheapest path to a free column; changes the last three."""
    width = len(row_of)
    slack = [float("inf")] * width
    before = [-1] * width  # the column from which the path came
    done: list[int] = []
    is_done = [False] * width
    row, last = start, -1
    while True:
        for column in range(width):
            if not is_done[column]:
                cost = -gains[row][column] - of_row[row] - of_column[column]
                if cost < slack[column]:
                    slack[column], before[column] = cost, last
        last = min((column for column in range(width) if not is_done[column]), key=slack.__getitem__)
        step = slack[last]
        of_row[start] += step
        for column in done:
            of_row[row_of[column]] += step
            of_column[column] -= step
        for column in range(width):
            if not is_done[column]:
                slack[column] -= step
        done.append(last)
        is_done[last] = True
        if row_of[last] < 0:
            break
        row = row_of[last]
    while last >= 0:
        earlier = before[last]
        row_of[last] = row_of[earlier] if earlier >= 0 else start
        last = earlier
