"""From a quote to the place it comes from: found in the page's words, or honestly unverified."""

from __future__ import annotations

import re

from ragvl.indexers.words import line_boxes
from ragvl.types import Citation, Page, Region


def cite_span(page: Page, start: int, end: int) -> Citation:
    """Cite `page.text[start:end]`, which is verified by being the page's own words."""
    regions = tuple(
        Region(page.number, box) for box in line_boxes(page.words, page.width_pt, page.height_pt, start, end)
    )
    return Citation(page.document, page.number, regions, one_line(page.text[start:end]), verified=True)


def cite_quote(page: Page, quote: str) -> Citation:
    """Look for a quote among the page's words, whatever the line ends and spaces; unverified when it is not there."""
    pattern = r"\s+".join(re.escape(word) for word in quote.split())
    found = re.search(pattern, page.text) if pattern else None
    if found is None:
        return Citation(page.document, page.number, (), one_line(quote), verified=False)
    return cite_span(page, found.start(), found.end())


def one_line(text: str) -> str:
    """Text with every run of white space as one space."""
    return " ".join(text.split())
