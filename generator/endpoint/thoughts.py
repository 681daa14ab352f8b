"""Keeps what a model thinks out of what it answers, when both come as one text with `<think>` marks."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r"<(/?)think>", re.IGNORECASE)
_LONGEST = len("</think>")


@dataclass(frozen=True, slots=True)
class Split:
    """A piece of text, parted into what may be shown and what was thought."""

    answer: str
    thought: str


class ThoughtFilter:
    """
    Parts a text that may be cut anywhere; use once.

    Args:
        may_open_inside: the model may begin in the middle of a thought, because the server's template wrote the
            opening mark. Nothing is shown then until it is clear whether it did.

    Attributes:
        stray_close: whether a thought ended that nothing had opened, when text before it was already given out.
    """

    def __init__(self, *, may_open_inside: bool) -> None:
        self._unclear = may_open_inside
        self._thinking = False
        self._held = ""
        self._waiting = ""
        self._begun = False
        self.stray_close = False

    def feed(self, piece: str) -> Split:
        """Take the next piece; a half of a mark is held back."""
        self._held += piece
        answer, thought = "", ""
        while found := _TAG.search(self._held):
            before, self._held = self._held[: found.start()], self._held[found.end() :]
            more = self._switch(before, closes=bool(found.group(1)))
            answer, thought = answer + more.answer, thought + more.thought
        keep = _half_tag(self._held)
        now, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        more = self._pass(now)
        return Split(self._opened(answer + more.answer), thought + more.thought)

    def is_answering(self) -> Split:
        """The server has shown that it keeps thoughts apart itself: what waits is answer."""
        answer, self._waiting, self._unclear = self._waiting, "", False
        return Split(self._opened(answer), "")

    def finish(self, *, cut: bool) -> Split:
        """
        The model writes no more.

        Args:
            cut: it was stopped at the limit; what is unclear then counts as a thought.
        """
        rest, self._held = self._held, ""
        last = self._pass(rest)
        answer, thought = last.answer, last.thought
        waiting, self._waiting = self._waiting, ""
        if cut:
            return Split(self._opened(answer), thought + waiting)
        return Split(self._opened(waiting + answer), thought)

    def _switch(self, before: str, *, closes: bool) -> Split:
        """Pass what stands before a mark, and what the mark makes of what waits."""
        if not closes:
            shown = Split(self._waiting + before, "") if self._unclear else self._pass(before)
            self._waiting, self._unclear, self._thinking = "", False, True
            return shown
        if self._unclear or not (self._thinking or self._begun):
            thought, self._waiting = self._waiting + before, ""
            self._unclear = False
            return Split("", thought)
        self.stray_close |= not self._thinking
        shown = self._pass(before)
        self._thinking = False
        return shown

    def _pass(self, text: str) -> Split:
        if self._unclear:
            self._waiting += text
            return Split("", "")
        return Split("", text) if self._thinking else Split(text, "")

    def _opened(self, answer: str) -> str:
        """Without the white space that stands between a thought and the answer."""
        if not self._begun:
            answer = answer.lstrip()
            self._begun = bool(answer)
        return answer


def _half_tag(text: str) -> int:
    """How many characters at the end may be the beginning of a mark."""
    tail = text[-_LONGEST + 1 :].lower()
    opening = tail.rfind("<")
    if opening < 0:
        return 0
    half = tail[opening:]
    return len(half) if "<think>".startswith(half) or "</think>".startswith(half) else 0
