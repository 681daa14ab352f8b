"""How long the model may think: when the budget is spent, its thought is closed for it."""

from __future__ import annotations

from collections.abc import Sequence

from ragvl.generator.nemotron.prompt.streaming import TextStream
from ragvl.generator.nemotron.prompt.tokenizer import PromptTokenizer

__all__ = ["ThinkingBudget"]

_CLOSE = "</think>"
_CLOSING = "\n</think>\n\n"


class ThinkingBudget:
    """
    Watches the tokens of one answer that begins inside of a thought; use once.

    Args:
        tokenizer: of the checkpoint.
        tokens: that may be thought.
        grace_tokens: more of them, to wait for the end of a line.

    Attributes:
        closing: the tokens that close a thought.
        spent: tokens thought so far.
        is_open: whether the model still thinks.

    Raises:
        ValueError: a number below 0.
    """

    def __init__(self, tokenizer: PromptTokenizer, tokens: int, *, grace_tokens: int = 0) -> None:
        if tokens < 0 or grace_tokens < 0:
            raise ValueError(f"a thought of {tokens} tokens and {grace_tokens} more cannot be waited for")
        self.closing: tuple[int, ...] = tuple(tokenizer.encode_own(_CLOSING))
        self.spent = 0
        self.is_open = True
        self._tokens, self._grace = tokens, grace_tokens
        self._text = TextStream(tokenizer)
        self._tail = ""

    @property
    def reserve(self) -> int:
        """Tokens that thought and closing take at most, if every token is fed when it is written."""
        return self._tokens + self._grace + len(self.closing)

    def feed(self, ids: Sequence[int]) -> tuple[int, ...]:
        """
        Take the tokens that the model wrote.

        Returns:
            Tokens to put into its mouth now, for `Engine.extend`; none while it may go on by itself.
        """
        if not self.is_open:
            return ()
        self.spent += len(ids)
        new = self._text.feed(ids)
        if _CLOSE in (self._tail + new).lower():
            self.is_open = False
            return ()
        self._tail = (self._tail + new)[-len(_CLOSE) :]
        if self.spent < self._tokens:
            return ()
        if self.spent < self._tokens + self._grace and not new.endswith("\n"):
            return ()
        self.is_open = False
        return self.closing
