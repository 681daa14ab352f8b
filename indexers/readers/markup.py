"""The structure of text, Markdown and CSV: headings, paragraphs and table rows, without their signs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby

from ragvl.types import BlockKind

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})\s*$")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_RULE = re.compile(r"^ {0,3}([-*_])(?:\s*\1){2,}\s*$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_REFERENCE = re.compile(r"!?\[([^\]\n]*)\]\[[^\]\n]*\]")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3}|~~|`+)(?=\S)(.+?)(?<=\S)\1(?![\w*])")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,500}>")
_QUOTE = re.compile(r"^ {0,3}(?:> ?)+")
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """
    A piece of a text, before it is laid out on pages.

    Attributes:
        rows: lines, each of one cell; of a table its rows, of one or more cells.
        flows: whether its lines are wrapped as one run of text; else each stands for itself.
        new_page: whether it begins a page.
    """

    kind: BlockKind
    rows: tuple[tuple[str, ...], ...]
    flows: bool = False
    new_page: bool = False


def parse_plain(text: str) -> Iterator[Paragraph]:
    """Paragraphs are parted by empty lines, pages by form feeds; lines stay as they are."""
    for number, page in enumerate(text.split("\f")):
        begins = number > 0
        for blank, lines in groupby(page.splitlines(), lambda line: not line.strip()):
            if not blank:
                yield Paragraph(BlockKind.TEXT, tuple((line,) for line in lines), new_page=begins)
                begins = False


def parse_csv(text: str, delimiter: str | None = None) -> Iterator[Paragraph]:
    """All rows form one table."""
    sample = text[:4096].splitlines()[:20]
    chosen = delimiter or max(_DELIMITERS, key=lambda sign: sum(line.count(sign) for line in sample))
    reader = csv.reader(text.splitlines(), delimiter=chosen)
    try:
        rows = tuple(
            tuple(cell.strip() for cell in row) for row in reader if any(cell.strip() for cell in row)
        )
    except csv.Error:
        yield from parse_plain(text)
        return
    if rows:
        yield Paragraph(BlockKind.TABLE, rows)


def parse_markdown(text: str) -> Iterator[Paragraph]:
    """Headings, fenced code, tables, lists and paragraphs of Markdown."""
    lines = _COMMENT.sub("", text).splitlines()
    index = 0
    if lines[:1] == ["---"] and "---" in lines[1:]:
        index = lines.index("---", 1) + 1  # front matter
    while index < len(lines):
        line = lines[index]
        if _FENCE.match(line):
            end = _fence_end(lines, index)
            code = tuple((row,) for row in lines[index + 1 : end] if row.strip())
            yield Paragraph(BlockKind.TEXT, code)
            index = end + 1
        elif heading := _HEADING.match(line):
            yield _heading(heading[2])
            index += 1
        elif not line.strip() or _RULE.match(line):
            index += 1
        elif (
            "|" in line
            and index + 1 < len(lines)
            and "-" in lines[index + 1]
            and _TABLE_RULE.match(lines[index + 1])
        ):
            end = index + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield Paragraph(BlockKind.TABLE, tuple(map(_cells, chain([line], lines[index + 2 : end]))))
            index = end
        else:
            end = _paragraph_end(lines, index)
            if end < len(lines) and end == index + 1 and _UNDERLINE.match(lines[end]):
                yield _heading(line)
                end += 1
            else:
                yield Paragraph(
                    BlockKind.TEXT, tuple((_plain(_QUOTE.sub("", row)),) for row in lines[index:end])
                )
            index = end


def _heading(text: str) -> Paragraph:
    return Paragraph(BlockKind.HEADING, ((_plain(text),),), flows=True)


def _fence_end(lines: list[str], start: int) -> int:
    fence = lines[start].lstrip()[:3]
    for index in range(start + 1, len(lines)):
        if lines[index].lstrip().startswith(fence):
            return index
    return len(lines)


def _paragraph_end(lines: list[str], start: int) -> int:
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if not line.strip() or _HEADING.match(line) or _FENCE.match(line) or _UNDERLINE.match(line):
            return index
    return len(lines)


def _cells(row: str) -> tuple[str, ...]:
    return tuple(
        _plain(cell.replace("\\|", "|").strip()) for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))
    )


def _plain(text: str) -> str:
    """Text without the signs that set it."""
    text = _REFERENCE.sub(r"\1", _LINK.sub(r"\1", text))
    text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", text))
    return _TAG.sub("", text)
