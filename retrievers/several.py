"""Pages for several queries at once: the best of each in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest

from ragvl.types import Hit


def search_several(queries: Iterable[str], search: Callable[[str], Sequence[Hit]], most: int) -> list[Hit]:
    """
    Search for each query, and take the first page of each, then the second of each, and so on.

    Args:
        queries: those without words, and repeated ones, are passed over.
        search: query to hits, best first.
        most: how many pages at most.

    Returns:
        Each page once, as the query that found it first ranked it.
    """
    asked = dict.fromkeys(query for query in queries if query.strip())
    found: dict[int, Hit] = {}
    for rank in zip_longest(*(search(query) for query in asked)):
        for hit in rank:
            if hit is not None:
                found.setdefault(hit.page.id, hit)
    return list(found.values())[:most]
