"""
What a model writes, piece by piece, turned into plain text and places where it cites.

Labels may be cut anywhere between pieces. Links, pictures and HTML never pass: their words do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ragvl.retrievers.labels import LABEL

_HELD = 240  # characters: what opens like a mark and has not closed by then is text
_OPENING = re.compile(r"!?\[|⟦|<")
_BRACKET = re.compile(r"!?\[([^\[\]\n]{0,200})\](\([^()\s]{0,400}(?:\s[^()]{0,100})?\))?|⟦([^⟦⟧\n]{0,200})⟧")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,230}>|<!--|-->")
_SEPARATOR = re.compile(r"[\s,;&]+|\band\b", re.IGNORECASE)
_PREFIX = re.compile(
    r"^(?:(?:pages?|p|labels?|sources?|docs?|documents?|ref)(?:\s*[:#]\s*|\s+)|p\.\s*)", re.IGNORECASE
)
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True)
class Cited:
    """A place where the model cites a page of its context."""

    label: str


class OutputFilter:
    """Takes what a model writes and yields text that may be shown, and citations; use once."""

    def __init__(self, labels: Collection[str]) -> None:
        self._labels = frozenset(labels)
        self._held = ""
        self.unknown = 0

    def feed(self, piece: str) -> Iterator[str | Cited]:
        """Take the next piece; what may still become a mark is held back."""
        self._held += _HIDDEN.sub("", piece)
        yield from self._pass(final=False)

    def finish(self) -> Iterator[str | Cited]:
        """Yield what is held back; the model writes no more."""
        yield from self._pass(final=True)

    def _pass(self, *, final: bool) -> Iterator[str | Cited]:
        while self._held:
            opening = _OPENING.search(self._held)
            if opening is None:
                # A lone "!" may be the first half of "![".
                end = len(self._held) - (not final and self._held.endswith("!"))
                if end:
                    yield self._held[:end]
                self._held = self._held[end:]
                return
            if opening.start():
                yield self._held[: opening.start()]
                self._held = self._held[opening.start() :]
            length, found = self._mark(final)
            if length is None:
                return
            self._held = self._held[length:]
            yield from found

    def _mark(self, final: bool) -> tuple[int | None, list[str | Cited]]:
        """How many characters a mark at the start takes, and what it means; no length while it is open."""
        text = self._held
        if text[0] == "<":
            tag = _TAG.match(text)
            if tag:
                return tag.end(), []
            may_close = re.fullmatch(r"<(?:/?(?:[a-zA-Z][^<>]*)?|!-?-?)", text) and len(text) < _HELD
            return (None, []) if may_close and not final else (1, ["<"])
        bracket = _BRACKET.match(text)
        if bracket:
            closes_early = bracket.group(2) is None and bracket.group(3) is None
            if closes_early and not final and len(text) == bracket.end():
                return None, []  # "(" of a link may follow
            behind = text[bracket.end() :]
            if closes_early and not final and len(behind) < _HELD and re.fullmatch(r"\([^()\n]*", behind):
                return None, []
            inside = bracket.group(3) if bracket.group(3) is not None else bracket.group(1)
            return bracket.end(), self._meaning(inside, bracket)
        is_open = re.fullmatch(r"(?:!?\[|⟦)[^\[\]⟦⟧\n]{0,200}", text)
        if is_open and not final:
            return None, []
        return 1, [text[0]]

    def _meaning(self, inside: str, bracket: re.Match[str]) -> list[str | Cited]:
        parts = [
            _PREFIX.sub("", part).strip("`'\"*_").lower()
            for part in _SEPARATOR.split(_PREFIX.sub("", inside.strip()))
        ]
        parts = [part for part in parts if part]
        known = [part for part in dict.fromkeys(parts) if part in self._labels]
        strange = [part for part in parts if part not in self._labels]
        if known:
            self.unknown += len(strange)
            return [Cited(label) for label in known]
        if parts and all(part.isdigit() or LABEL.fullmatch(part) for part in parts):
            self.unknown += len(parts)
            return []
        if bracket.group(2) is not None or bracket.group(0).startswith("!"):
            return [inside]  # a link or a picture: its words only
        return [bracket.group(0)]
