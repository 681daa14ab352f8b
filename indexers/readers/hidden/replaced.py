"""Replacement texts (`ActualText`) that say something else than the letters they stand for."""

from __future__ import annotations

import unicodedata

from ragvl.indexers.readers.hidden.layer import TextLayer

_MIN_LETTERS = 3  # of a word; shorter ones occur in any text
_MIN_DRAWN = 0.5  # share of readable characters in what is drawn, below which the replacement is needed


def replaced_words(layer: TextLayer) -> int:
    """
    How many words a page's layer says that the page does not show.

    Replacements are there to mend what a font cannot tell: capitals, ligatures, hyphens, letters without a
    meaning. Those say the same as the letters drawn, or stand for letters that cannot be read.
    """
    if "".join([word[4] for word in layer.words]) == layer.text:
        return 0
    drawn = _bare(layer.text)
    if len(drawn) < _MIN_DRAWN * len(layer.text):
        return 0
    bare = [_bare(word[4]) for word in layer.words]
    return sum(len(word) >= _MIN_LETTERS and word not in drawn for word in bare)


def _bare(text: str) -> str:
    """Letters and digits only, without case, accents and ligatures."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))
