"""Contexts keep to their budget, and the ledger accounts for every candidate."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from ragvl.retrievers.context import ContextBudget, build_context, shrink
from ragvl.retrievers.excerpts import excerpt
from ragvl.types import (
    BlockKind,
    Context,
    Document,
    DocumentStatus,
    Hit,
    Page,
    PageForm,
    PageImage,
    Passage,
    TextSource,
)

SIZES = {PageForm.IMAGE: (1100, 1536), PageForm.SMALL_IMAGE: (730, 1024), PageForm.REGION: (1024, 300)}


@dataclass(frozen=True, slots=True)
class Words:
    """Counts words, and tiles of 512 pixels."""

    context_tokens: int = 128_000
    sees_images: bool = True

    def text_tokens(self, text: str) -> int:
        """A token a word."""
        return len(text.split())

    def image_tokens(self, width_px: int, height_px: int) -> int:
        """256 a tile, and the marker."""
        return 256 * (-(-width_px // 512)) * (-(-height_px // 512)) + 2


def make_hit(page_id: int, words: list[str], document: int = 1, score: float = 1.0) -> Hit:
    """A page of passages of at most fifty words."""
    parts = [" ".join(words[start : start + 50]) for start in range(0, len(words), 50)]
    text = "\n\n".join(parts)
    when = datetime(2026, 1, 1, tzinfo=UTC)
    owner = Document(document, f"{document}.pdf", "a", "application/pdf", "", 99, 1, when, DocumentStatus.OK)
    page = Page(page_id, owner, page_id, 600.0, 800.0, text, TextSource.LAYER)
    passages, start = [], 0
    for place, part in enumerate(parts):
        box = (50.0, 100.0 + 20 * place, 300.0, 110.0 + 20 * place)
        passages.append(Passage(place, page_id, BlockKind.TEXT, "", part, start, start + len(part), (box,)))
        start += len(part) + 2
    return Hit(page, score, (), tuple(passages))


def draw(hit: Hit, form: PageForm) -> PageImage | None:
    """A picture of the size of its form; every fifth page cannot be drawn."""
    return PageImage(b"jpeg", "image/jpeg", *SIZES[form]) if hit.page.id % 5 else None


def candidates(chance: random.Random, count: int) -> list[Hit]:
    """Pages of no to 900 words, of three documents, some of them copies."""
    hits: list[Hit] = []
    for page_id in range(1, count + 1):
        if hits and chance.random() < 0.1:
            words = chance.choice(hits).page.text.split()
        else:
            length = chance.choice([0, 0, 30, 200, 900])
            words = [f"w{chance.randrange(10_000)}" for _ in range(length)]
        hits.append(make_hit(page_id, words, chance.randrange(3), 1 / page_id))
    return hits


def check(context: Context, hits: list[Hit], tokens: int) -> None:
    """What must hold of every context."""
    kept = [entry for entry in context.ledger if entry.kept]
    assert (
        sum(page.cost_tokens for page in context.pages) == sum(entry.cost_tokens for entry in kept) <= tokens
    )
    assert [entry.page_id for entry in context.ledger] == [hit.page.id for hit in hits]
    assert {entry.page_id for entry in kept} == {page.hit.page.id for page in context.pages}
    assert [hit.page.id for hit in context.hits] == [entry.page_id for entry in kept]
    assert len({page.label for page in context.pages}) == len(context.pages)
    assert all(entry.why for entry in context.ledger)
    assert all((entry.form is not None) == entry.kept for entry in context.ledger)
    for page in context.pages:
        assert page.text or page.image
        assert (page.image is None) == (page.form is PageForm.TEXT)
        counted = Words().text_tokens(page.text)
        counted += Words().image_tokens(page.image.width_px, page.image.height_px) if page.image else 0
        assert page.cost_tokens >= counted


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("sees", [True, False])
def test_budgets_are_never_passed_and_ledgers_add_up(seed: int, sees: bool) -> None:
    """From 2k to 100k tokens, with and without pictures, before and after shrinking."""
    chance = random.Random(seed)
    hits = candidates(chance, chance.randrange(0, 30))
    tokens = chance.choice([2_000, 5_000, 12_000, 30_000, 100_000])
    cost = Words(sees_images=sees)
    context = build_context(hits, cost, ContextBudget(tokens, chance.randrange(1, 25)), draw)
    check(context, hits, tokens)
    assert sees or not any(page.image for page in context.pages)
    for smaller in (tokens // 2, tokens // 7, 100, 0):
        less = shrink(context, smaller, cost)
        check(less, hits, smaller)
        assert {page.label for page in less.pages} <= {page.label for page in context.pages}


def test_no_picture_keeps_another_page_out() -> None:
    """Five pages of text fit, then the best of them get pictures."""
    hits = [make_hit(number, [f"{number}x{i}" for i in range(300)]) for number in (1, 2, 3, 4, 6)]
    context = build_context(hits, Words(), ContextBudget(5_000, 5), draw)
    assert [entry.kept for entry in context.ledger] == [True] * 5
    assert context.ledger[0].form is PageForm.IMAGE
    assert context.ledger[-1].form is PageForm.TEXT


def test_copies_are_given_once() -> None:
    """A near-duplicate is named in the ledger."""
    words = [f"w{i}" for i in range(200)]
    context = build_context(
        [make_hit(1, words), make_hit(2, [*words, "more"])], Words(), ContextBudget(9_000, 5), draw
    )
    assert [entry.kept for entry in context.ledger] == [True, False]
    assert context.ledger[1].why == "says the same as page 1 of 1.pdf"


def test_pages_stand_in_the_order_of_their_documents() -> None:
    """The document with the best page first, its pages by number."""
    hits = [make_hit(7, ["a"] * 40, 2), make_hit(3, ["b"] * 40, 1), make_hit(4, ["c"] * 40, 2)]
    context = build_context(hits, Words(), ContextBudget(9_000, 5), None)
    assert [page.hit.page.number for page in context.pages] == [4, 7, 3]
    assert [hit.page.number for hit in context.hits] == [7, 3, 4]


def test_a_long_page_gives_its_best_passages() -> None:
    """In the order of the page, with a sign for what is left out; never more than asked."""
    hit = make_hit(1, [f"w{i}" for i in range(500)])
    best_last = Hit(
        hit.page, 1.0, (), (hit.passages[8], hit.passages[2], *hit.passages[:2], *hit.passages[3:8])
    )
    text = excerpt(best_last, 120, Words().text_tokens)
    assert text.index("w100 ") < text.index("w400 ")
    assert "[…]" in text
    assert Words().text_tokens(text) <= 120
    assert Words().text_tokens(excerpt(best_last, 20, Words().text_tokens)) <= 20
