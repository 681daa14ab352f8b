"""
The page that `--show` writes: one HTML file that shows an answer, or hits, on the pages themselves.

It loads nothing and runs no script. What comes from documents is data: `fill` escapes it, and no link is
made from it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragvl.cards import (
    PageKey,
    Pages,
    Ranked,
    count,
    heading,
    hit_cards,
    page_key,
    section,
    sheet_of,
    thumb,
    title_of,
    warning,
)
from ragvl.heat_view import HeatSource, HeatViews
from ragvl.markup import Html, clean, escape, fill, join, page
from ragvl.sheets import Mark, PageImages, Sheet, Sheets, crop, figure
from ragvl.types import Answer, Citation, Hit

__all__ = ["HeatSource", "PageImages", "answer_page", "search_page"]

_PENS = 5
_LONG_HEADLINE = 150  # characters
_WELL_SUPPORTED, _PARTLY_SUPPORTED = 0.75, 0.4
_MARKER = re.compile(r"( ?\[[0-9]{1,3}\])")
_TICK, _CROSS = "M2.5 8.5l3.6 3.6 7.4-8", "M8 2.5v6.5M8 13v.2"

_Numbered = tuple[int, Citation]


def answer_page(answer: Answer, page_image: PageImages, heat: HeatSource | None = None) -> str:
    """
    Write an answer as one self-contained HTML page, each citation shown on its page.

    Args:
        answer: nothing in it is trusted, whatever its documents say.
        page_image: is asked once for each page that is cited or was found.
        heat: is asked at most once for each hit; what it gives is laid over the page.

    Returns:
        The HTML, to be written as UTF-8; it loads nothing and runs no script.
    """
    pages = Pages(Sheets(page_image, answer.hits), HeatViews(heat))
    cited = _by_page(answer.citations)
    others = [(rank, hit) for rank, hit in enumerate(answer.hits, 1) if page_key(hit) not in cited]
    body = fill(
        "answer",
        state=" refused" if answer.refused else "",
        kicker="Not answered: no page supports an answer" if answer.refused else "You asked",
        size=_size(answer.question),
        question=answer.question,
        prose=_prose(answer),
        notice=_notice(answer),
        summary=Html("") if answer.refused else _summary(answer),
        sections=join([_cited_section(cited, answer, pages), _others_section(others, answer, pages)]),
    )
    return _written(answer.question, body, _answer_foot(answer), pages)


def search_page(
    query: str, hits: Sequence[Hit], page_image: PageImages, heat: HeatSource | None = None
) -> str:
    """
    Write search results as one self-contained HTML page, best first, passages marked on their pages.

    Args:
        query: as typed.
        hits: best first; nothing in them is trusted.
        page_image: is asked once for each page.
        heat: is asked at most once for each hit; what it gives is laid over the page.

    Returns:
        The HTML, to be written as UTF-8; it loads nothing and runs no script.
    """
    pages = Pages(Sheets(page_image, hits), HeatViews(heat))
    if hits:
        cards = hit_cards(list(enumerate(hits, 1)), query, pages)
        sections = section("results", f"{count(len(hits), 'page')} found, best first", cards)
    else:
        sections = Html('<p class="nothing">No page matches. Try other words, or fewer of them.</p>')
    body = fill("search", kicker="You searched for", size=_size(query), query=query, sections=sections)
    return _written(query, body, "Marked on each page are the passages that match best.", pages)


def _written(title: str, body: Html, foot: str, pages: Pages) -> str:
    images = join([pages.sheets.store(), pages.heats.store()])
    return page(title, body, foot + pages.heats.note(), images, more_css=pages.heats.css())


def _size(headline: str) -> str:
    return "long" if len(headline) > _LONG_HEADLINE else "short"


# --- the answer ---------------------------------------------------------------------------------


def _prose(answer: Answer) -> Html:
    """Set the text in paragraphs, its markers made links to the citations that exist."""
    seen: set[int] = set()

    def piece(text: str) -> Html:
        number = int(text.strip(" []")) if _MARKER.fullmatch(text) else 0
        if not 1 <= number <= len(answer.citations):
            return Html(escape(text).replace("\n", "<br>"))
        anchor = "" if number in seen else f' id="ref-{number}"'
        seen.add(number)
        return _marker(number, answer.citations[number - 1], anchor)

    paragraphs = re.split(r"\n\s*\n", clean(answer.text).strip())
    pieces = [join(map(piece, _MARKER.split(paragraph))) for paragraph in paragraphs]
    return join(Html(f"<p>{paragraph}</p>") for paragraph in pieces)


def _marker(number: int, citation: Citation, anchor: str) -> Html:
    checked = "verified" if citation.verified else "not verified"
    label = f"Citation {number}, {checked}: page {citation.page_number} of {title_of(citation.document)}"
    return Html(
        f'<a class="chip {_pen(number, citation)}"{anchor} href="#cite-{number}" aria-label="{escape(label)}">'
        f"<i>[</i>{number}<i>]</i></a>"
    )


def _notice(answer: Answer) -> Html:
    doubtful = sum(not citation.verified for citation in answer.citations)
    if not answer.citations and not answer.refused:
        return Html(
            '<p class="notice" role="note"><b>No page is cited,</b> so this answer cannot be checked here.</p>'
        )
    if not doubtful:
        return Html("")
    total = len(answer.citations)
    which = "The quote" if total == 1 else f"{doubtful} of {total} quotes"
    verb = "was" if doubtful == 1 else "were"
    place = "its page" if doubtful == 1 else "their pages"
    return Html(
        f'<p class="notice" role="note"><b>{which} {verb} not found word for word on {place}.</b>'
        " Read the page before you rely on it.</p>"
    )


def _summary(answer: Answer) -> Html:
    support = min(max(answer.support, 0.0), 1.0) if answer.support == answer.support else 0.0
    level, verdict = "poor", "Weakly supported"
    if support >= _WELL_SUPPORTED:
        level, verdict = "good", "Well supported"
    elif support >= _PARTLY_SUPPORTED:
        level, verdict = "fair", "Partly supported"
    bars = [
        Html(f'<rect x="{12 * step}" width="9" height="14" rx="2"{_lit(support, step)}/>')
        for step in range(5)
    ]
    pages = {(citation.document.id, citation.page_number) for citation in answer.citations}
    verified = sum(citation.verified for citation in answer.citations)
    facts = f"{verified} of {count(len(answer.citations), 'quote')} verified, on {count(len(pages), 'page')}"
    return fill(
        "summary",
        level=level,
        verdict=verdict,
        percent=str(round(100 * support)),
        bars=join(bars),
        facts=_item(facts) if pages else Html(""),
    )


def _lit(support: float, step: int) -> str:
    return ' class="on"' if support > 0 and support * 5 >= step + 0.5 else ""


def _item(text: str) -> Html:
    return Html(f"<li>{escape(text)}</li>")


def _answer_foot(answer: Answer) -> str:
    said = [f"Written by the {answer.generator} generator" if answer.generator else "Written by ragvl"]
    if "total" in answer.timings_s:
        said.append(f" in {answer.timings_s['total']:.2g} s")
    return "".join(said) + ". Verified means that the quote stands, word for word, in the text of the page."


# --- cited pages --------------------------------------------------------------------------------


def _by_page(citations: Sequence[Citation]) -> dict[PageKey, list[_Numbered]]:
    pages: dict[PageKey, list[_Numbered]] = {}
    for number, citation in enumerate(citations, 1):
        pages.setdefault((citation.document.id, citation.page_number), []).append((number, citation))
    return pages


def _cited_section(cited: dict[PageKey, list[_Numbered]], answer: Answer, pages: Pages) -> Html:
    if not cited:
        return Html("")
    hits = {page_key(hit): hit for hit in answer.hits}
    cards = join(
        _cited_card(f"page-{index}", group, answer.text, hits.get(key), pages)
        for index, (key, group) in enumerate(cited.items(), 1)
    )
    return section("cited", "Where it says so", cards)


def _cited_card(anchor: str, group: list[_Numbered], text: str, hit: Hit | None, pages: Pages) -> Html:
    document, page_number = group[0][1].document, group[0][1].page_number
    sheet = sheet_of(pages, document, page_number)
    heat = pages.heats.of(hit, sheet)
    marks = [_citation_mark(number, citation) for number, citation in group]
    citations = [
        fill(
            "citation",
            number=str(number),
            pen=mark.pen,
            back=f"ref-{number}" if f"[{number}]" in text else "answer",
            badge=_badge(citation.verified),
            quote=citation.quote.strip(),
            crop=_close_up(sheet, mark, f"Citation {number} on the page, close up"),
        )
        for (number, citation), mark in zip(group, marks, strict=True)
    ]
    return fill(
        "cited",
        anchor=anchor,
        shape=sheet.shape,
        figure=figure(sheet, marks, anchor, heat.layers),
        heading=heading(document, page_number),
        warning=warning(document),
        heat=heat.words,
        citations=join(citations),
    )


def _close_up(sheet: Sheet, mark: Mark, label: str) -> Html:
    if sheet.data_uri and not (drawn := crop(sheet, mark, label)):
        return Html('<p class="unplaced">Where it stands on the page is not known.</p>')
    return drawn if sheet.data_uri else Html("")


def _citation_mark(number: int, citation: Citation) -> Mark:
    boxes = tuple(region.bbox_pt for region in citation.regions if region.page_number == citation.page_number)
    return Mark(boxes, _pen(number, citation), str(number))


def _pen(number: int, citation: Citation) -> str:
    return f"pen-{(number - 1) % _PENS + 1}" if citation.verified else "pen-unverified"


def _badge(verified: bool) -> Html:
    path, words = (_TICK, "Verified") if verified else (_CROSS, "Not verified: not found word for word")
    icon = f'<svg viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="{path}"/></svg>'
    return Html(f'<span class="badge {"yes" if verified else "no"}">{icon}{words}</span>')


# --- what was found besides ---------------------------------------------------------------------


def _others_section(others: list[Ranked], answer: Answer, pages: Pages) -> Html:
    if not others:
        return Html("")
    if answer.refused:
        lead = Html(
            '<p class="lead">These pages came closest to the question. They may not hold its answer.</p>'
        )
        return section("nearest", "Nearest pages", hit_cards(others, answer.question, pages), lead)
    thumbs = join(thumb(rank, hit, pages) for rank, hit in others)
    return section("others", "Also looked at", Html(f'<ol class="strip">{thumbs}</ol>'))
