"""Pages and contexts to ground answers on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ragvl.indexers.words import PlacedWord, pack_words
from ragvl.types import (
    BlockKind,
    Context,
    ContextPage,
    Document,
    DocumentStatus,
    Hit,
    Page,
    PageForm,
    Passage,
    TextSource,
)

REPORT = (
    (BlockKind.HEADING, "Annual report 2018 of Otter Ferries"),
    (
        BlockKind.TEXT,
        "Otter Ferries carried 1,204,500 passengers in 2018. The fleet grew from five to seven ships.",
    ),
    (
        BlockKind.TABLE,
        "in millions 2018 2017\nNet sales 32,765 31,657\nCapital expenditure 1,577 1,373\nMargin 12.5% 11.9%",
    ),
    (BlockKind.TEXT, "Chief executive Ada Lindqvist opened the terminal at Skerrin Bay on 4 May 2018."),
)


def make_hit(
    number: int = 1, blocks: tuple[tuple[BlockKind, str], ...] = REPORT, path: str = "otter.pdf"
) -> Hit:
    """A page whose words stand one a line, each ten points high, with one passage a block."""
    text = "\n\n".join(words for _, words in blocks)
    placed, at = [], 0
    for place, word in enumerate(text.split()):
        at = text.index(word, at)
        placed.append(PlacedWord(at, at + len(word), (50.0, 10.0 * place, 90.0, 10.0 * place + 9)))
        at += len(word)
    when = datetime(2026, 1, 1, tzinfo=UTC)
    document = Document(1, path, "a" * 64, "application/pdf", "", 3, 1, when, DocumentStatus.OK)
    page = Page(
        number, document, number, 600.0, 2000.0, text, TextSource.LAYER, pack_words(placed, 600.0, 2000.0)
    )
    passages, start = [], 0
    for place, (kind, words) in enumerate(blocks):
        end = start + len(words)
        passages.append(Passage(place, number, kind, blocks[0][1], words, start, end, ()))
        start = end + 2
    return Hit(page, 1.0, (), tuple(passages))


@pytest.fixture
def page_hit() -> Callable[..., Hit]:
    """Make a hit: its page's number, blocks and document."""
    return make_hit


@pytest.fixture
def hit() -> Hit:
    """A page of a report with prose and a table."""
    return make_hit()


@pytest.fixture
def context_of() -> Callable[..., Context]:
    """Make a context of pages by label."""

    def make(**hits: Hit) -> Context:
        pages = tuple(
            ContextPage(label, hit, PageForm.TEXT, hit.page.text, None, 100) for label, hit in hits.items()
        )
        return Context(tuple(hits.values()), (), pages)

    return make
