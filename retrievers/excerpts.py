"""The words of a page that a generator is shown: all of them, or the best passages where there are too many."""

from __future__ import annotations

from collections.abc import Callable

from ragvl.types import Hit, Passage

_GAP = "\n[…]\n"


def excerpt(hit: Hit, tokens: int, count: Callable[[str], int]) -> str:
    """
    Text of a page within a number of tokens.

    Args:
        hit: with all passages of its page, the best ones first.
        tokens: what it may take; one passage is given whole or cut at a word.
        count: tokens of a text.

    Returns:
        The whole text, or passages in the order of the page with "[…]" for what is left out; "" for an empty page.
    """
    text = hit.page.text.strip()
    if not text or count(text) <= tokens:
        return text
    chosen: list[Passage] = []
    for passage in hit.passages:
        if count(_joined(hit, [*chosen, passage])) <= tokens:
            chosen.append(passage)
        elif not chosen:
            return _cut(passage.text, tokens, count)
        else:
            break
    return _joined(hit, chosen) if chosen else _cut(text, tokens, count)


def _joined(hit: Hit, passages: list[Passage]) -> str:
    text, end = "", 0
    for passage in sorted(passages, key=lambda one: one.start):
        between = hit.page.text[end : passage.start]
        text += (between if not between.strip() else _GAP) + passage.text
        end = passage.end
    return (text + (_GAP if hit.page.text[end:].strip() else "")).strip("\n")


def _cut(text: str, tokens: int, count: Callable[[str], int]) -> str:
    words = text.split(" ")
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if count(" ".join(words[:middle])) <= tokens:
            low = middle
        else:
            high = middle - 1
    return " ".join(words[:low])
