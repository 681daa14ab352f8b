"""Cutting pages into passages."""

from __future__ import annotations

from itertools import pairwise

from ragvl.config import PassageConfig
from ragvl.indexers.passages import draft_page, embedding_text
from ragvl.indexers.words import unpack_words
from ragvl.types import Block, BlockKind, Line, PageContent, TextSource, Word


def _line(text: str, y: float) -> Line:
    words = (Word(word, (20.0 + 30 * i, y, 45.0 + 30 * i, y + 10)) for i, word in enumerate(text.split()))
    return Line(tuple(words))


def _page(*blocks: tuple[BlockKind, list[str]], number: int = 1) -> PageContent:
    made, y = [], 10.0
    for kind, lines in blocks:
        made.append(Block(kind, tuple(_line(text, y + 12 * i) for i, text in enumerate(lines))))
        y += 12 * len(lines) + 8
    return PageContent(number, 595, 842, tuple(made), TextSource.LAYER)


def test_page_text_separates_blocks_lines_and_words() -> None:
    """Blocks stand apart by an empty line, lines by a line end, words by a space."""
    draft = draft_page(
        _page((BlockKind.HEADING, ["Costs"]), (BlockKind.TEXT, ["one two", "three"])), PassageConfig()
    )
    assert draft.text == "Costs\n\none two\nthree"


def test_every_word_keeps_its_span_and_box() -> None:
    """The packed words spell the page's text at the spans they state."""
    draft = draft_page(_page((BlockKind.TEXT, ["alpha beta", "gamma"])), PassageConfig())
    words = unpack_words(draft.words, draft.width_pt, draft.height_pt)
    assert [draft.text[word.start : word.end] for word in words] == ["alpha", "beta", "gamma"]


def test_passages_cover_the_text_in_order_without_overlap() -> None:
    """No word of a page is lost, and none is in two passages."""
    blocks = [(BlockKind.TEXT, [" ".join(f"w{i}x{j}" for j in range(9)) for i in range(8)]) for _ in range(9)]
    draft = draft_page(_page(*blocks), PassageConfig())
    assert len(draft.passages) > 2
    assert all(a.end <= b.start for a, b in pairwise(draft.passages))
    said = " ".join(draft.text[p.start : p.end] for p in draft.passages).split()
    assert said == draft.text.split()


def test_no_passage_is_longer_than_the_limit() -> None:
    """A table or paragraph of any length is cut between its lines."""
    config = PassageConfig(target_words=20, max_words=30)
    draft = draft_page(_page((BlockKind.TABLE, ["a b c d e f g h"] * 40)), config)
    assert max(len(draft.text[p.start : p.end].split()) for p in draft.passages) <= 30


def test_a_passage_knows_the_heading_it_stands_under() -> None:
    """Text after a heading carries it; text before the first heading carries none."""
    long = [" ".join(f"w{i}" for i in range(10))] * 13
    page = _page(
        (BlockKind.TEXT, long), (BlockKind.HEADING, ["Fuel and", "electricity"]), (BlockKind.TEXT, long)
    )
    draft = draft_page(page, PassageConfig())
    assert draft.passages[0].heading == ""
    assert draft.passages[-1].heading == "Fuel and electricity"
    assert draft.last_heading == "Fuel and electricity"


def test_the_kind_of_a_passage_is_that_of_most_of_its_words() -> None:
    """A running head above a table does not make the table a paragraph."""
    page = _page((BlockKind.TEXT, ["Annual report"]), (BlockKind.TABLE, ["Revenue 20 18", "Costs 11 9"]))
    assert [p.kind for p in draft_page(page, PassageConfig()).passages] == [BlockKind.TABLE]


def test_an_empty_page_has_no_passages_and_no_text_source() -> None:
    """Blocks without words leave nothing behind."""
    draft = draft_page(_page((BlockKind.TEXT, [""])), PassageConfig())
    assert (draft.text, draft.passages, draft.text_source) == ("", (), TextSource.NONE)


def test_the_encoder_is_given_the_heading_first() -> None:
    """Where a passage stands is part of what is embedded."""
    assert embedding_text("Fuel", "2.05 million litres") == "Fuel\n2.05 million litres"
    assert embedding_text("", "alone") == "alone"
