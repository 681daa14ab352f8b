"""Many pages in groups that each fit."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from ragvl.generator.endpoint.cost import text_tokens
from ragvl.generator.modes.writing import cut_to, page_parts
from ragvl.retrievers.groups import page_groups
from ragvl.retrievers.several import search_several
from ragvl.types import BlockKind, Document, DocumentStatus, Hit, Page, Passage, TextSource

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


class Cost:
    """Counts as the endpoint does, and sees no pictures."""

    context_tokens = 100_000
    sees_images = False

    def text_tokens(self, text: str) -> int:
        return text_tokens(text)

    def image_tokens(self, width_px: int, height_px: int) -> int:
        raise AssertionError("it sees no pictures")


def make_hit(number: int, words: int, title: str = "Crane") -> Hit:
    """A page of so many words, one passage each ten."""
    pieces = [f"Word{number} " + "word " * 9 for _ in range(words // 10)]
    text = "".join(pieces)
    document = Document(1, "a.pdf", "0" * 64, "application/pdf", title, 9, 1, WHEN, DocumentStatus.OK)
    page = Page(number, document, number, 595, 842, text, TextSource.LAYER)
    passages, start = [], 0
    for piece in pieces:
        passages.append(Passage(start, number, BlockKind.TEXT, "", piece, start, start + len(piece), ()))
        start += len(piece)
    return Hit(page, 0.0, (), tuple(passages))


@pytest.mark.parametrize("seed", range(8))
def test_no_group_is_larger_than_its_budget(seed: int) -> None:
    """As the model counts it, frames and all; every page is in a group or has a reason in the ledger."""
    chance = random.Random(seed)
    title = "A long title of a document " * chance.choice([1, 20])
    hits = [make_hit(number, chance.choice([0, 10, 100, 900]), title) for number in range(1, 30)]
    bundles = [chance.sample(hits, chance.choice([1, 2])) for _ in range(30)]
    tokens, most = chance.choice([400, 1000, 5000]), chance.choice([2, 100])
    made = page_groups(bundles, Cost(), tokens, most, None)
    assert len(made.groups) <= most
    for group in made.groups:
        framed = "".join(part for part in page_parts(group) if isinstance(part, str))
        assert text_tokens(framed) <= sum(page.cost_tokens for page in group) <= tokens
    kept = {page.hit.page.id: page for page in made.pages}
    assert {entry.page_id for entry in made.ledger if entry.kept} == set(kept)
    assert {entry.page_id for entry in made.ledger} == {hit.page.id for bundle in bundles for hit in bundle}
    assert len({page.label for page in made.pages}) == len(made.pages)


def test_pages_of_a_bundle_stay_together() -> None:
    """A page without text takes its partner out; a page of two bundles has one label."""
    first, second, third, empty = (make_hit(n, words) for n, words in enumerate([50, 50, 50, 0], 1))
    made = page_groups([(first, second), (first, third), (third, empty)], Cost(), 400, 9, None)
    numbers = [[page.hit.page.number for page in group] for group in made.groups]
    assert all(1 in group for group in numbers)
    assert sorted({number for group in numbers for number in group}) == [1, 2, 3]
    assert {entry.page_number: entry.kept for entry in made.ledger} == {1: True, 2: True, 3: True, 4: False}
    assert "no text" in made.ledger[-1].why


def test_what_is_beyond_the_last_group_is_told() -> None:
    """The ledger has the reason."""
    made = page_groups([(make_hit(number, 200),) for number in range(1, 9)], Cost(), 500, 1, None)
    assert [entry.kept for entry in made.ledger] == [True] + [False] * 7
    assert made.ledger[-1].why == "beyond the first 1 requests"


@pytest.mark.parametrize("tokens", [0, 1, 5, 20, 500])
def test_a_text_is_cut_at_a_word(tokens: int) -> None:
    """Within its tokens, marked where it was cut, whole where it fits."""
    text = "The large harbour crane lifts forty tonnes at a reach of thirty metres. " * 5
    cut = cut_to(text, tokens, text_tokens)
    assert not cut or text_tokens(cut) <= tokens
    assert cut in ("", text) or (cut.endswith(" …") and text.startswith(cut.removesuffix(" …")))
    assert (cut == text) == (tokens == 500)


def test_the_best_pages_of_each_query_come_first() -> None:
    """In turn, each once, none of an empty query."""
    one, two, three = (make_hit(number, 10) for number in (1, 2, 3))
    found = {"a": [one, two], "b": [one, three]}
    assert search_several(["a", " ", "b", "a"], found.__getitem__, 9) == [one, two, three]
    assert search_several(["a", "b"], found.__getitem__, 1) == [one]
    assert search_several([], found.__getitem__, 9) == []
