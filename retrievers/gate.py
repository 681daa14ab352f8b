"""
The language gate of the lexical lane: which pages are in another language than the query.

Between languages, BM25 ranks pages by stray words: names, numbers, words that happen to be spelt alike. Such a page
keeps only a share of what the lane gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ragvl.indexers.language import language_of


def pages_in_another_language(
    query: str, languages: Mapping[int, str], detect: Callable[[str], str] = language_of
) -> frozenset[int]:
    """
    Find the pages that are in another language than the query; none where either is unknown.

    The first time that a query's language is looked up takes half a second; where no page's is known, it is not.

    Args:
        query: as the user wrote it.
        languages: of each page, ISO 639-1 or "".
        detect: tells the language of a text.
    """
    spoken = detect(query) if any(languages.values()) else ""
    if not spoken:
        return frozenset()
    return frozenset(page_id for page_id, language in languages.items() if language not in ("", spoken))
