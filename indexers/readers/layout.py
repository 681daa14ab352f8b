"""
From placed words to blocks in reading order: headings, paragraphs, tables whose rows are whole.

The engine's own grouping into blocks and lines is kept, for it knows columns; what it tears apart is joined
again: cells that stand on one baseline but in different blocks become one line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from ragvl.indexers.readers.headings import split_headings
from ragvl.indexers.readers.rows import Row, Run, join_cells
from ragvl.types import BBox, Block, BlockKind, Word

_MAX_INSERT_ROWS = 2  # a table may hold so many rows of one cell in a row, such as "Current assets:"
_MAX_INSERT_WORDS = 10
_SAME_TYPE = 0.03  # difference of two font sizes that are one
_SAME_EDGE = 0.3  # of two lines of one paragraph, in font sizes
_NEXT_LINE = 0.35  # white between two lines of one paragraph, in font sizes
_NEXT_LOOSE_LINE = 1.0
_MAX_ROW_GAP = 3.0  # between two rows of one table, in heights of the upper row


class LaidWord(NamedTuple):
    """
    A word as an engine found it.

    Attributes:
        block, line: the engine's grouping; equal pairs are one line, and the order of the words counts.
        size: font size in points; for OCR the height of the line.
        upright: whether it is written from left to right and not turned.
    """

    text: str
    bbox_pt: BBox
    block: int
    line: int
    size: float
    bold: bool = False
    upright: bool = True


class _Placed(NamedTuple):
    group: int
    row: Row


def lay_out(words: Sequence[LaidWord], heading_ratio: float = 1.15) -> tuple[Block, ...]:
    """
    Group the words of one page into blocks, in reading order.

    Args:
        words: in the engine's reading order, those of one line together.
        heading_ratio: a line is a heading from so many times the body's font size.
    """
    runs = [_run(index, list(group)) for index, (_, group) in enumerate(groupby(words, _line_of))]
    if not runs:
        return ()
    body_size = _body_size(runs)
    rows = _joined(list(_in_groups(join_cells(runs))))
    in_table = _table_rows(rows)
    blocks: list[Block] = []
    position = 0
    for (is_table, _), held in groupby(range(len(rows)), lambda index: _block_of(rows, in_table, index)):
        members = [rows[index].row for index in held]
        position += len(members)
        if is_table:
            blocks.append(_block(BlockKind.TABLE, members))
        else:
            blocks += [_block(kind, part) for kind, part in split_headings(members, body_size, heading_ratio)]
    return tuple(blocks)


def _line_of(word: LaidWord) -> tuple[int, int]:
    return word.block, word.line


def _block_of(rows: list[_Placed], in_table: list[int], index: int) -> tuple[bool, int]:
    table = in_table[index]
    return (True, table) if table else (False, rows[index].group)


def _block(kind: BlockKind, rows: list[Row]) -> Block:
    return Block(kind, tuple(row.line() for row in rows))


def _run(order: int, words: list[LaidWord]) -> Run:
    boxes = [word.bbox_pt for word in words]
    first = words[0]
    return Run(
        order=order,
        block=first.block,
        x0=min(box[0] for box in boxes),
        y0=min(box[1] for box in boxes),
        x1=max(box[2] for box in boxes),
        y1=max(box[3] for box in boxes),
        size=first.size,
        bold=first.bold,
        upright=first.upright,
        words=tuple(Word(word.text, word.bbox_pt) for word in words),
    )


def _body_size(runs: list[Run]) -> float:
    """The font size in the middle of the page's letters, by count."""
    weights = sorted((run.size, sum(len(word.text) for word in run.words)) for run in runs)
    half = sum(weight for _, weight in weights) / 2
    for size, weight in weights:
        half -= weight
        if half <= 0:
            return max(size, 1e-6)
    return max(weights[-1][0], 1e-6)


def _in_groups(rows: list[Row]) -> Iterator[_Placed]:
    """Rows by block; blocks that share a row are one group, read from top to bottom."""
    parent: dict[int, int] = {}

    def root(block: int) -> int:
        while parent.setdefault(block, block) != block:
            block = parent[block]
        return block

    joined: set[int] = set()
    for row in rows:
        blocks = {run.block for run in row.runs}
        if len(blocks) > 1:
            joined |= blocks
            first = root(row.runs[0].block)
            for block in blocks:
                parent[root(block)] = first
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(root(row.runs[0].block), []).append(row)
    for group, held in groups.items():
        mixed = any(run.block in joined for run in held[0].runs)
        for row in sorted(held, key=lambda row: row.y0) if mixed else held:
            yield _Placed(group, row)


def _joined(rows: list[_Placed]) -> list[_Placed]:
    """Take blocks together that are one paragraph: the next line, in the same type, at the same edge."""
    lengths = Counter(placed.group for placed in rows)
    joined: list[_Placed] = []
    group = 0
    for index, placed in enumerate(rows):
        before = rows[index - 1] if index else None
        if before is None or placed.group != before.group:
            # Some producers make each line a block: there, loosely set lines are one paragraph too.
            single = before is not None and lengths[before.group] == lengths[placed.group] == 1
            gap = _NEXT_LOOSE_LINE if single else _NEXT_LINE
            if before is None or not _continues(before.row, placed.row, gap):
                group += 1
        joined.append(_Placed(group, placed.row))
    return joined


def _continues(upper: Row, lower: Row, gap: float) -> bool:
    a, b = upper.runs[0], lower.runs[0]
    if len(upper.runs) + len(lower.runs) > 2 or not (a.upright and b.upright) or a.bold != b.bold:
        return False
    size = max(a.size, 1e-6)
    return (
        abs(a.size - b.size) < _SAME_TYPE * size
        and abs(a.x0 - b.x0) < _SAME_EDGE * size
        and -_NEXT_LINE * size < b.y0 - a.y1 < gap * size
    )


def _table_rows(rows: list[_Placed]) -> list[int]:
    """For each row the number of its table, from 1; 0 for text."""
    tables = [0] * len(rows)
    cells = [placed.row.cell_count > 1 for placed in rows]
    number, start = 0, 0
    while start < len(rows):
        if not cells[start]:
            start += 1
            continue
        end = _table_end(rows, cells, start)
        if sum(cells[start:end]) > 1:
            number += 1
            tables[start:end] = [number] * (end - start)
        start = end
    return tables


def _table_end(rows: list[_Placed], cells: list[bool], start: int) -> int:
    """The index after the last row of the table that begins at `start`."""
    end = start + 1
    while end < len(rows):
        ahead = end
        while ahead < len(rows) and not cells[ahead] and ahead - end < _MAX_INSERT_ROWS:
            if rows[ahead].row.word_count > _MAX_INSERT_WORDS:
                return end
            ahead += 1
        if ahead == len(rows) or not cells[ahead]:
            return end
        if not all(_follows(rows[index - 1].row, rows[index].row) for index in range(end, ahead + 1)):
            return end
        end = ahead + 1
    return end


def _follows(upper: Row, lower: Row) -> bool:
    gap = lower.y0 - upper.y1
    height = max(upper.y1 - upper.y0, 1.0)
    return -height <= gap <= _MAX_ROW_GAP * height and lower.y0 > upper.y0
