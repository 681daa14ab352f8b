"""Many pages, more than one request holds, put into groups that each fit; a page keeps its label through all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ragvl.protocols import TokenCost
from ragvl.retrievers.context import ContextBudget, Picture, build_context, frame_tokens
from ragvl.retrievers.labels import make_labels
from ragvl.types import ContextPage, Hit, LedgerEntry

_MOST_PAGES = 1000  # that can be labelled


@dataclass(frozen=True, slots=True)
class PageGroups:
    """
    Pages in groups.

    Attributes:
        groups: in the order of the bundles; a page that several groups need is in each of them.
        ledger: every page once, in the order in which it came first.
    """

    groups: tuple[tuple[ContextPage, ...], ...]
    ledger: tuple[LedgerEntry, ...]

    @property
    def pages(self) -> tuple[ContextPage, ...]:
        """Every page once."""
        return tuple({page.label: page for group in self.groups for page in group}.values())


def page_groups(
    bundles: Sequence[Sequence[Hit]], cost: TokenCost, tokens: int, most: int, picture: Picture | None
) -> PageGroups:
    """
    Fill groups with bundles of pages, in order.

    Args:
        bundles: pages that are to be shown together, each with all its passages; a page may be in several.
        cost: how the generator counts.
        tokens: of a group; never passed. A page's text is cut to its share of that where it is longer.
        most: groups at most; what does not fit in them is left out, and the ledger says so.
        picture: draws pages that have no text; None for text only.
    """
    hits = {hit.page.id: hit for bundle in bundles for hit in bundle}
    labels = make_labels(min(len(hits), _MOST_PAGES), [hit.page.text for hit in hits.values()])
    named = dict(zip(hits, labels, strict=False))
    groups: list[dict[int, ContextPage]] = []
    why: dict[int, str] = {}
    for bundle in bundles:
        formed = {}
        for hit in bundle:
            page = _formed(hit, cost, tokens // len(bundle), picture if cost.sees_images else None)
            if page is None:
                why.setdefault(hit.page.id, "has no text, and cannot be shown as a picture")
            elif hit.page.id not in named:
                why.setdefault(hit.page.id, f"beyond the first {_MOST_PAGES} pages")
            else:
                formed[hit.page.id] = replace(page, label=named[hit.page.id])
        if len(formed) < len(bundle):
            continue
        if not groups or _cost(formed | groups[-1]) > tokens:
            if len(groups) == most:
                why |= {
                    page_id: f"beyond the first {most} requests" for page_id in formed if page_id not in why
                }
                continue
            groups.append({})
        groups[-1] = formed | groups[-1]
    kept = {page_id: page for group in groups for page_id, page in group.items()}
    ledger = tuple(_entry(hit, kept.get(page_id), why) for page_id, hit in hits.items())
    return PageGroups(tuple(tuple(group.values()) for group in groups), ledger)


def _formed(hit: Hit, cost: TokenCost, tokens: int, picture: Picture | None) -> ContextPage | None:
    drawn = None if hit.page.text.strip() else picture
    text_tokens = max(1, tokens - frame_tokens(hit, cost))
    context = build_context([hit], cost, ContextBudget(tokens, 1, text_tokens), drawn)
    return context.pages[0] if context.pages else None


def _cost(pages: dict[int, ContextPage]) -> int:
    return sum(page.cost_tokens for page in pages.values())


def _entry(hit: Hit, page: ContextPage | None, why: dict[int, str]) -> LedgerEntry:
    document = hit.page.document
    if page is None:
        reason = why.get(hit.page.id, "what it is shown with could not be shown")
        return LedgerEntry(hit.page.id, document.path, hit.page.number, 0, False, reason)
    told = f"read, as {page.form}"
    return LedgerEntry(hit.page.id, document.path, hit.page.number, page.cost_tokens, True, told, page.form)
