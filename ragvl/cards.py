"""Cards of pages that were found, and the words that all cards share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragvl.heat_view import HeatViews
from ragvl.markup import Html, clean, escape, fill, join
from ragvl.sheets import Mark, Sheet, Sheets, crop, figure
from ragvl.types import Document, DocumentStatus, Hit, LaneRank, Passage

_LONGEST_PASSAGE = 700  # characters

PageKey = tuple[int, int]
Ranked = tuple[int, Hit]


@dataclass(frozen=True, slots=True)
class Pages:
    """What can be drawn: pages, and where they match."""

    sheets: Sheets
    heats: HeatViews


def thumb(rank: int, hit: Hit, pages: Pages) -> Html:
    """Draw a small page with its rank, for a strip of them."""
    document, page_number = hit.page.document, hit.page.number
    sheet = sheet_of(pages, document, page_number)
    return fill(
        "thumb",
        anchor=f"hit-{rank}",
        shape=sheet.shape,
        rank=str(rank),
        figure=figure(sheet, _passage_marks(hit), f"hit-{rank}", pages.heats.whole(hit, sheet)),
        title=title_of(document),
        path=_path(document),
        folio=folio(document, page_number),
        lanes=_lanes(hit),
    )


def hit_cards(ranked: Sequence[Ranked], query: str, pages: Pages) -> Html:
    """Draw a card for each hit: its page, its rank in each lane, where it matches, its best passages."""
    return join(_hit_card(rank, hit, query, pages) for rank, hit in ranked)


def _hit_card(rank: int, hit: Hit, query: str, pages: Pages) -> Html:
    document, page_number = hit.page.document, hit.page.number
    sheet = sheet_of(pages, document, page_number)
    marks = _passage_marks(hit)
    heat = pages.heats.of(hit, sheet)
    return fill(
        "hit",
        anchor=f"hit-{rank}",
        shape=sheet.shape,
        rank=str(rank),
        figure=figure(sheet, marks, f"hit-{rank}", heat.layers),
        heading=heading(document, page_number),
        lanes=_lanes(hit),
        warning=warning(document),
        heat=heat.words,
        close_up=crop(sheet, marks[-1], f"The best passage on page {page_number}, close up")
        if marks
        else Html(""),
        passages=_passages(hit.passages, query),
    )


def _passage_marks(hit: Hit) -> list[Mark]:
    """Mark the passages, the best one strongly; it is drawn last, over the others."""
    on_page = [passage for passage in hit.passages if passage.page_number == hit.page.number]
    return [Mark(on.boxes_pt, "pen-faint" if index else "pen-1") for index, on in enumerate(on_page)][::-1]


def _passages(passages: Sequence[Passage], query: str) -> Html:
    written = [
        fill("passage", heading=one.heading, kind=one.kind.value, text=_emphasise(_shorten(one.text), query))
        for one in passages
    ]
    if len(written) < 2:
        return join(written)
    more = f"{count(len(written) - 1, 'more passage')} on this page"
    return Html(f"{written[0]}<details><summary>{more}</summary>{join(written[1:])}</details>")


def _emphasise(text: str, query: str) -> Html:
    """Mark the words of the query in a passage; short words that are not numbers say too little."""
    words = {re.escape(word) for word in re.findall(r"\w+", query) if len(word) > 3 or word.isdigit()}
    if not words:
        return escape(text)
    pieces = re.split(rf"\b({'|'.join(sorted(words))})\b", clean(text), flags=re.IGNORECASE)
    return join(
        Html(f"<mark>{escape(on)}</mark>") if index % 2 else escape(on) for index, on in enumerate(pieces)
    )


def _lanes(hit: Hit) -> Html:
    def chip(lane: LaneRank) -> Html:
        return Html(f'<li title="score {lane.score:.4g}">{escape(lane.lane)} <b>{lane.rank}</b></li>')

    score = Html(f'<li class="score">score {hit.score:.3g}</li>')
    return Html(
        f'<ul class="lanes" aria-label="Rank in each lane">{join([*map(chip, hit.lanes), score])}</ul>'
    )


# --- words that cards share ---------------------------------------------------------------------


def section(kind: str, title: str, items: Html, lead: Html = Html("")) -> Html:
    """Put items under a title."""
    return fill("section", kind=kind, anchor=f"section-{kind}", title=title, lead=lead, items=items)


def heading(document: Document, page_number: int) -> Html:
    """Name a page and its document."""
    return fill("heading", title=title_of(document), path=_path(document), folio=folio(document, page_number))


def title_of(document: Document) -> str:
    """The title of a document on one line, or the name of its file."""
    return " ".join(clean(document.title).split()) or document.path.rsplit("/", 1)[-1]


def _path(document: Document) -> Html:
    """Return the path with places to break a line."""
    return Html(re.sub(r"([/_])", r"\1<wbr>", escape(document.path)))


def folio(document: Document, page_number: int) -> str:
    """Such as "Page 2 of 9"."""
    return f"Page {page_number} of {document.page_count}"


def sheet_of(pages: Pages, document: Document, page_number: int) -> Sheet:
    """A page as it can be drawn, with a label for those who do not see it."""
    return pages.sheets.get(document, page_number, f"{folio(document, page_number)}, {title_of(document)}")


def warning(document: Document) -> Html:
    """Say what was wrong with a document that was read in part."""
    if document.status is DocumentStatus.OK:
        return Html("")
    words = f"This document is {document.status.value.replace('_', ' ')}: {document.reason}".rstrip(": ")
    return Html(f'<p class="warning">{escape(words)}</p>')


def _shorten(text: str) -> str:
    if len(text) <= _LONGEST_PASSAGE:
        return text.strip()
    return text[:_LONGEST_PASSAGE].rsplit(None, 1)[0] + " …"


def count(number: int, noun: str) -> str:
    """Such as "1 page" and "2 pages"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def page_key(hit: Hit) -> PageKey:
    """What tells the page of a hit from others: its document and its number."""
    return (hit.page.document.id, hit.page.number)
