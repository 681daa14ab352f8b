"""
From the blocks of a page to its text and its passages.

A passage follows blocks: a heading opens one, paragraphs are joined until it is long enough, a table is cut
between rows, the words of a figure stand alone. No passage crosses a page, and every word keeps its box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ragvl.config import PassageConfig
from ragvl.indexers.words import PlacedWord, pack_words
from ragvl.types import Block, BlockKind, Line, PageContent, TextSource

_BLOCK_GAP = "\n\n"


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A passage that has no id yet: `page.text[start:end]`, and the heading it stands under."""

    kind: BlockKind
    heading: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PageDraft:
    """
    A page that has no id yet.

    Attributes:
        text: blocks are separated by an empty line, lines by a line end, words by a space.
        words: one record a word, see `ragvl.indexers.words`.
        last_heading: the heading that text at the top of the next page stands under; "" for none.
        language: ISO 639-1; "" when it is not known.
        picture: where the page was drawn, for the image lane.
    """

    number: int
    width_pt: float
    height_pt: float
    text: str
    text_source: TextSource
    words: bytes
    passages: tuple[PassageDraft, ...]
    last_heading: str
    warning: str = ""
    language: str = ""
    picture: Path | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of lines of one block, short enough for a passage."""

    kind: BlockKind
    start: int
    end: int
    word_count: int


def draft_page(content: PageContent, config: PassageConfig) -> PageDraft:
    """Lay out the text of one page and cut it into passages."""
    text, words, pieces = _lay_out(content.blocks, config.max_words)
    passages = tuple(_join(text, pieces, config))
    headings = [text[piece.start : piece.end] for piece in pieces if piece.kind is BlockKind.HEADING]
    return PageDraft(
        number=content.number,
        width_pt=content.width_pt,
        height_pt=content.height_pt,
        text=text,
        text_source=content.text_source if text else TextSource.NONE,
        words=pack_words(words, content.width_pt, content.height_pt),
        passages=passages,
        last_heading=_one_line(headings[-1]) if headings else "",
        warning=content.warning,
    )


def embedding_text(heading: str, text: str) -> str:
    """What the encoder is given for a passage: where it stands, unless it begins with that, then what it says."""
    return f"{heading}\n{text}" if heading and not _one_line(text).startswith(heading) else text


def _lay_out(blocks: tuple[Block, ...], max_words: int) -> tuple[str, list[PlacedWord], list[_Piece]]:
    parts: list[str] = []
    words: list[PlacedWord] = []
    pieces: list[_Piece] = []
    position = 0
    for block in blocks:
        lines = [line for line in block.lines if line.words]
        if not lines:
            continue
        if parts:
            parts.append(_BLOCK_GAP)
            position += len(_BLOCK_GAP)
        start, count = position, 0
        for index, line in enumerate(lines):
            if index:
                parts.append("\n")
                position += 1
                if count + len(line.words) > max_words and count:
                    pieces.append(_Piece(block.kind, start, position - 1, count))
                    start, count = position, 0
            placed, line_text = _place(line, position)
            words += placed
            parts.append(line_text)
            position += len(line_text)
            count += len(line.words)
        pieces.append(_Piece(block.kind, start, position, count))
    return "".join(parts), words, pieces


def _place(line: Line, start: int) -> tuple[list[PlacedWord], str]:
    placed = []
    position = start
    for word in line.words:
        placed.append(PlacedWord(position, position + len(word.text), word.bbox_pt))
        position += len(word.text) + 1
    return placed, " ".join(word.text for word in line.words)


def _join(text: str, pieces: list[_Piece], config: PassageConfig) -> Iterator[PassageDraft]:
    heading = ""
    held: list[_Piece] = []
    for piece in pieces:
        count = sum(other.word_count for other in held)
        body = [other for other in held if other.kind is not BlockKind.HEADING]
        full = count >= config.target_words or count + piece.word_count > config.max_words
        apart = body and (piece.kind is BlockKind.HEADING or piece.kind is not body[-1].kind)
        # A run of short blocks (captions, table cells, slide bullets) says little alone: keep it together.
        if held and (full or (apart and count >= config.target_words // 4)):
            yield _passage(held, heading)
            held = []
        if piece.kind is BlockKind.HEADING:
            heading = _one_line(text[piece.start : piece.end])
        held.append(piece)
    if held:
        yield _passage(held, heading)


def _passage(pieces: list[_Piece], heading: str) -> PassageDraft:
    words = Counter[BlockKind]()
    for piece in pieces:
        words[piece.kind] += piece.word_count if piece.kind is not BlockKind.HEADING else 0
    return PassageDraft(words.most_common(1)[0][0], heading, pieces[0].start, pieces[-1].end)


def _one_line(text: str) -> str:
    return " ".join(text.split())
