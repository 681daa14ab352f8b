"""Hits made whole for a generator: every passage of their pages, and the page on which a table runs on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ragvl.indexers.store.database import fetch
from ragvl.indexers.store.reader import Snapshot
from ragvl.types import BlockKind, Hit, Passage

_LOW = 0.75  # share of a page's text behind which its last table may run on
_RUNNING_ON = (BlockKind.TABLE,)


def whole_hits(snapshot: Snapshot, hits: Sequence[Hit]) -> list[Hit]:
    """
    Give hits all passages of their pages, those that were found first.

    A page whose best passage is a table at its end is followed by the next page, where that begins with a table too
    and was not found itself; such a hit has its neighbour's score and no lanes.
    """
    found = {hit.page.id for hit in hits}
    whole: list[Hit] = []
    for hit in hits:
        passages = snapshot.passages(hit.page)
        whole.append(replace(hit, passages=tuple(_best_first(hit, passages))))
        following = _continuation(snapshot, hit, passages)
        if following is not None and following.page.id not in found:
            found.add(following.page.id)
            whole.append(following)
    return whole


def _best_first(hit: Hit, passages: Sequence[Passage]) -> Iterator[Passage]:
    best = {passage.id for passage in hit.passages}
    yield from hit.passages
    yield from (passage for passage in passages if passage.id not in best)


def _continuation(snapshot: Snapshot, hit: Hit, passages: Sequence[Passage]) -> Hit | None:
    last = passages[-1] if passages else None
    if last is None or last.kind not in _RUNNING_ON or last.end < _LOW * len(hit.page.text):
        return None
    if not hit.passages or hit.passages[0].id != last.id:
        return None
    sql = "SELECT id FROM pages WHERE document_id = ? AND number = ?"
    rows = fetch(snapshot.connection, sql, (hit.page.document.id, hit.page.number + 1))
    if not rows:
        return None
    page = snapshot.pages([rows[0][0]])[rows[0][0]]
    following = snapshot.passages(page)
    if not following or following[0].kind not in _RUNNING_ON:
        return None
    return Hit(page, hit.score, (), tuple(following))
