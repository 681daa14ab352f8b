"""Why words are left out of a page, and how that is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

_WORTH_TELLING = 3  # words of a page: fewer are left out all the same, and make no document `partial`


class Reason(StrEnum):
    """What keeps a word from being seen; the value is what the reader of a report sees."""

    INVISIBLE = "invisible or transparent type"
    TINY = "type too small to read"
    OUTSIDE = "outside the page"
    SAME_COLOUR = "the colour of what is behind it"
    COVERED = "covered by something drawn over it"
    LAYER_OFF = "a layer that is switched off"
    REPLACED = "a replacement text that the page does not show"
    OTHER_GLYPHS = "a font that shows other letters"


@dataclass(slots=True)
class Found:
    """
    What was found on one page.

    Attributes:
        hidden: indexes of the words to be left out, each with its reason.
        elsewhere: words that the file holds for this page and that never were in its text layer, by reason.
    """

    hidden: dict[int, Reason] = field(default_factory=dict)
    elsewhere: Counter[Reason] = field(default_factory=Counter)

    @property
    def warning(self) -> str:
        """One sentence for the page's warning; "" for a few stray words, such as a chart's label drawn twice."""
        counts = Counter(self.hidden.values()) + self.elsewhere
        total = counts.total()
        if total < _WORTH_TELLING:
            return ""
        why = "; ".join(
            f"{count} {reason}" if len(counts) > 1 else reason for reason, count in counts.items()
        )
        return f"{total} hidden {'word' if total == 1 else 'words'} left out: {why}"
