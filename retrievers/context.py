"""
From hits to what a generator is given, under a budget of tokens.

Every page first gets the cheapest form that says something, best pages first, so that no large picture keeps another
page out; what budget is left is then spent on better forms in the same order. The ledger says what became of each
candidate, and its kept costs add up to the context's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ragvl.indexers.store.reader import Snapshot
from ragvl.protocols import CountingGenerator, Generator, TokenCost
from ragvl.retrievers.duplicates import duplicate_of
from ragvl.retrievers.excerpts import excerpt
from ragvl.retrievers.labels import make_labels
from ragvl.retrievers.pictures import picture_of
from ragvl.retrievers.whole_pages import whole_hits
from ragvl.types import Context, ContextPage, Hit, LedgerEntry, PageForm, PageImage

__all__ = ["ContextBudget", "build_context", "context_for", "context_of", "frame_tokens", "shrink"]

Picture = Callable[[Hit, PageForm], PageImage | None]

_FRAME_TOKENS = 40  # a page's label and number, and what opens and closes it
_TITLE_CHARACTERS = 200  # of a document's title or path, in the frame
_BETTER = (PageForm.IMAGE, PageForm.SMALL_IMAGE, PageForm.REGION)


@dataclass(frozen=True, slots=True)
class ContextBudget:
    """
    What a context may take.

    Attributes:
        tokens: label, text and picture of all pages together.
        pages: at most so many.
        page_text_tokens: a page's text is cut down to its best passages beyond this.
    """

    tokens: int
    pages: int
    page_text_tokens: int = 1500


def context_for(
    generator: Generator,
    snapshot: Snapshot,
    question: str,
    hits: Sequence[Hit],
    pages: int,
    render: Callable[[Hit], bytes | None],
) -> Context:
    """
    What a generator is given of what was found.

    Args:
        snapshot: of the index that the hits come from.
        pages: at most so many.
        render: gives a page as an encoded image; None when it cannot be drawn.
    """
    if not isinstance(generator, CountingGenerator):
        return context_of(hits, pages)
    budget = ContextBudget(generator.page_tokens(question), pages)
    drawn: dict[int, bytes | None] = {}

    def picture(hit: Hit, form: PageForm) -> PageImage | None:
        if hit.page.id not in drawn:
            drawn[hit.page.id] = render(hit)
        return picture_of(hit, form, drawn[hit.page.id])

    return build_context(whole_hits(snapshot, hits), generator.cost, budget, picture, question)


def context_of(hits: Sequence[Hit], pages: int) -> Context:
    """Keep the first so many pages as they are, for a generator that reads hits and counts no tokens."""
    ledger = tuple(
        _entry(
            hit, 0, rank < pages, f"rank {rank + 1}" if rank < pages else f"beyond the first {pages} pages"
        )
        for rank, hit in enumerate(hits)
    )
    return Context(tuple(hits[:pages]), ledger)


def build_context(
    hits: Sequence[Hit], cost: TokenCost, budget: ContextBudget, picture: Picture | None, question: str = ""
) -> Context:
    """
    Choose pages and their forms.

    Args:
        hits: candidates, best first, each with all passages of its page, the best ones first.
        cost: how the generator counts.
        budget: never passed.
        picture: draws a page in a form, or tells that it cannot; None for text only.
        question: no label occurs in it.

    Returns:
        `pages` document by document in the order of the best page of each, pages in the order of their numbers;
        `ledger` in the order of `hits`.
    """
    labels = make_labels(len(hits), [question, *(hit.page.text for hit in hits)])
    draft = _Draft(cost, budget, picture if cost.sees_images else None)
    for hit, label in zip(hits, labels, strict=True):
        draft.admit(hit, label)
    draft.improve()
    return draft.context(hits)


def shrink(context: Context, tokens: int, cost: TokenCost) -> Context:
    """
    Make a context smaller, for a model that turned out to hold less than it said.

    Pictures of the worst pages are given up first, where text is left, then the worst pages.

    Args:
        tokens: what it may take.
        cost: how the generator counts.

    Returns:
        A context of at most so many tokens; it may be empty.
    """
    pages = {page.hit.page.id: page for page in context.pages}
    worst_first = [hit.page.id for hit in reversed(context.hits)]
    why: dict[int, str] = {}
    for page_id in worst_first:
        page = pages[page_id]
        if _total(pages) > tokens and page.image is not None and page.text:
            pages[page_id] = _formed(page.hit, page.label, PageForm.TEXT, page.text, None, cost)
            why[page_id] = "its picture was given up: the model's context is smaller than stated"
    for page_id in worst_first:
        if _total(pages) > tokens:
            why[page_id] = "given up: the model's context is smaller than stated"
            del pages[page_id]
    ledger = tuple(_settled(entry, pages, why) for entry in context.ledger)
    kept = tuple(page for page in context.pages if page.hit.page.id in pages)
    return Context(
        tuple(hit for hit in context.hits if hit.page.id in pages),
        ledger,
        tuple(pages[page.hit.page.id] for page in kept),
    )


def frame_tokens(hit: Hit, cost: TokenCost) -> int:
    """What a page takes beside its text and picture: its label, where it comes from, and what closes it."""
    document = hit.page.document
    return _FRAME_TOKENS + cost.text_tokens((document.title or document.path)[:_TITLE_CHARACTERS])


class _Draft:
    """Pages chosen up to now."""

    def __init__(self, cost: TokenCost, budget: ContextBudget, picture: Picture | None) -> None:
        self._cost = cost
        self._budget = budget
        self._picture = picture
        self._pages: dict[int, ContextPage] = {}
        self._ledger: dict[int, LedgerEntry] = {}

    def admit(self, hit: Hit, label: str) -> None:
        """Take a page in its cheapest form, or note why not."""
        chosen = [page.hit for page in self._pages.values()]
        twin = duplicate_of(hit, chosen)
        if twin is not None:
            why = f"says the same as page {twin.page.number} of {twin.page.document.path}"
            self._ledger[hit.page.id] = _entry(hit, 0, False, why)
            return
        if len(self._pages) >= self._budget.pages:
            self._ledger[hit.page.id] = _entry(hit, 0, False, f"beyond the first {self._budget.pages} pages")
            return
        page = self._cheapest(hit, label)
        if page is None:
            self._ledger[hit.page.id] = _entry(hit, 0, False, "has no text, and cannot be shown as a picture")
        elif _total(self._pages) + page.cost_tokens > self._budget.tokens:
            left = self._budget.tokens - _total(self._pages)
            why = f"takes {page.cost_tokens} tokens, {left} are left of {self._budget.tokens}"
            self._ledger[hit.page.id] = _entry(hit, page.cost_tokens, False, why)
        else:
            self._pages[hit.page.id] = page

    def improve(self) -> None:
        """Spend what is left on pictures, best pages first."""
        if self._picture is None:
            return
        for page_id, page in list(self._pages.items()):
            for form in _BETTER:
                better = self._drawn(page, form)
                if (
                    better
                    and _total(self._pages) - page.cost_tokens + better.cost_tokens <= self._budget.tokens
                ):
                    self._pages[page_id] = better
                    break

    def context(self, hits: Sequence[Hit]) -> Context:
        """What was chosen, with the ledger."""
        ranks = {hit.page.id: rank for rank, hit in enumerate(hits, 1)}
        for page_id, page in self._pages.items():
            why = f"rank {ranks[page_id]}, as {page.form}"
            self._ledger[page_id] = _entry(page.hit, page.cost_tokens, True, why, page.form)
        kept = [self._pages[hit.page.id] for hit in hits if hit.page.id in self._pages]
        first = {page.hit.page.document.id: place for place, page in reversed(list(enumerate(kept)))}
        shown = sorted(kept, key=lambda page: (first[page.hit.page.document.id], page.hit.page.number))
        ledger = tuple(self._ledger[hit.page.id] for hit in hits)
        return Context(tuple(page.hit for page in kept), ledger, tuple(shown))

    def _cheapest(self, hit: Hit, label: str) -> ContextPage | None:
        text = excerpt(hit, self._budget.page_text_tokens, self._cost.text_tokens)
        if text:
            return _formed(hit, label, PageForm.TEXT, text, None, self._cost)
        if self._picture is None:
            return None
        empty = _formed(hit, label, PageForm.SMALL_IMAGE, "", None, self._cost)
        return self._drawn(empty, PageForm.SMALL_IMAGE)

    def _drawn(self, page: ContextPage, form: PageForm) -> ContextPage | None:
        image = self._picture(page.hit, form) if self._picture else None
        return _formed(page.hit, page.label, form, page.text, image, self._cost) if image else None


def _formed(
    hit: Hit, label: str, form: PageForm, text: str, image: PageImage | None, cost: TokenCost
) -> ContextPage:
    tokens = (
        frame_tokens(hit, cost)
        + cost.text_tokens(text)
        + (cost.image_tokens(image.width_px, image.height_px) if image else 0)
    )
    return ContextPage(label, hit, form, text, image, tokens)


def _total(pages: Mapping[int, ContextPage]) -> int:
    return sum(page.cost_tokens for page in pages.values())


def _settled(entry: LedgerEntry, pages: Mapping[int, ContextPage], why: Mapping[int, str]) -> LedgerEntry:
    page = pages.get(entry.page_id)
    reason = why.get(entry.page_id, entry.why)
    if page is None:
        return replace(entry, kept=False, why=reason, form=None)
    return replace(entry, cost_tokens=page.cost_tokens, why=reason, form=page.form)


def _entry(hit: Hit, tokens: int, kept: bool, why: str, form: PageForm | None = None) -> LedgerEntry:
    page = hit.page
    return LedgerEntry(page.id, page.document.path, page.number, tokens, kept, why, form)
