"""Tokens of an answer become text as they come: whole characters only, thoughts kept apart."""

from __future__ import annotations

from collections.abc import Sequence

from ragvl.generator.endpoint.thoughts import Split, ThoughtFilter
from ragvl.generator.nemotron.prompt.tokenizer import PromptTokenizer

__all__ = ["AnswerStream", "TextStream"]

_NO_CHARACTER = "\ufffd"  # what a decoder writes for bytes that are no character, or only its beginning


class TextStream:
    """Turns tokens into text as they come; a character that is not complete is held back. Use once."""

    def __init__(self, tokenizer: PromptTokenizer) -> None:
        self._tokenizer = tokenizer
        self._before: list[int] = []  # given out; a decoder may look at it to decode what follows
        self._new: list[int] = []

    def feed(self, ids: Sequence[int]) -> str:
        """Take the next tokens; special ones have no text."""
        return "".join(self._take(number) for number in ids)

    def finish(self) -> str:
        """There are no more tokens; a character that is still not complete is left out."""
        text = self._fresh().rstrip(_NO_CHARACTER)
        self._before, self._new = [], []
        return text

    def _take(self, number: int) -> str:
        self._new.append(number)
        text = self._fresh()
        if not text or text.endswith(_NO_CHARACTER):
            return ""
        self._before, self._new = self._new, []
        return text

    def _fresh(self) -> str:
        before = self._tokenizer.decode(self._before)
        return self._tokenizer.decode([*self._before, *self._new])[len(before) :]


class AnswerStream:
    """
    Parts what the model writes into answer and thought; use once.

    Args:
        tokenizer: of the checkpoint.
        think: the prompt ended with an opened thought.
    """

    def __init__(self, tokenizer: PromptTokenizer, *, think: bool) -> None:
        self._text = TextStream(tokenizer)
        self._thoughts = ThoughtFilter(may_open_inside=False)
        if think:
            self._thoughts.feed("<think>")

    def feed(self, ids: Sequence[int]) -> Split:
        """Take the next tokens."""
        return self._thoughts.feed(self._text.feed(ids))

    def finish(self, *, cut: bool) -> Split:
        """
        The model writes no more.

        Args:
            cut: it was stopped at its limit.
        """
        first = self._thoughts.feed(self._text.finish())
        last = self._thoughts.finish(cut=cut)
        return Split(first.answer + last.answer, first.thought + last.thought)
