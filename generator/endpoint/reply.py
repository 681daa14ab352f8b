"""One completion as it is read: the text of the answer, without thoughts, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from ragvl.config import EndpointConfig
from ragvl.errors import GeneratorError
from ragvl.generator.endpoint.deltas import Delta
from ragvl.generator.endpoint.thoughts import Split, ThoughtFilter

_CHARACTERS_A_TOKEN = 4


class ThoughtTooLongError(Exception):
    """The model thinks past its budget, and has answered nothing yet."""


class Reply:
    """
    Reads the deltas of one completion; use once.

    Attributes:
        usage: tokens by kind, as the server counts.
        first_token_at: moment by `time.monotonic` of the first token, thoughts included; None before it.
        has_text: whether any text of the answer was given out.
        is_cut: whether the answer ends where it was stopped, not where it was finished.
    """

    def __init__(self, config: EndpointConfig, mode: str) -> None:
        self.usage: dict[str, int] = {}
        self.first_token_at: float | None = None
        self.has_text = False
        self.is_cut = False
        self._config = config
        self._filter = ThoughtFilter(may_open_inside=mode != "off")
        self._thought_characters = 0
        self._thought_pieces = 0
        self._finish_reason = ""

    def read(self, deltas: Iterable[Delta]) -> Iterator[str]:
        """
        Yield the text of the answer as it comes.

        Raises:
            ThoughtTooLongError: the model thinks past its budget.
            GeneratorError: it wrote no answer, or its thoughts cannot be told from it.
            EndpointFailure: from the deltas.
        """
        for delta in deltas:
            if delta.text or delta.reasoning:
                self.first_token_at = self.first_token_at or time.monotonic()
            self.usage |= delta.usage
            self._finish_reason = delta.finish_reason or self._finish_reason
            yield from self._take(delta)
        yield from self._out(self._filter.finish(cut=self._finish_reason == "length"))
        self.is_cut = self._finish_reason in {"length", "content_filter"}
        if not self.has_text:
            raise GeneratorError(self._nothing())

    def _take(self, delta: Delta) -> Iterator[str]:
        if delta.reasoning:
            self._count_thought(delta.reasoning)
            yield from self._out(self._filter.is_answering())
        if delta.text:
            yield from self._out(self._filter.feed(delta.text))

    def _out(self, split: Split) -> Iterator[str]:
        if self._filter.stray_close:
            raise GeneratorError(
                f"{self._config.base_url}: the model thinks although it was told not to, and its thoughts cannot be told "
                "from its answer. Set generator.endpoint.thinking.mode to on, or .switch to what the model understands."
            )
        if split.answer:
            self.has_text = True
            yield split.answer
        if split.thought:
            self._count_thought(split.thought)

    def _count_thought(self, thought: str) -> None:
        """Count as the larger of pieces, which are mostly tokens, and characters by the usual share."""
        self._thought_characters += len(thought)
        self._thought_pieces += 1
        tokens = max(self._thought_pieces, self._thought_characters // _CHARACTERS_A_TOKEN)
        if tokens > self._config.thinking.budget_tokens and not self.has_text:
            raise ThoughtTooLongError

    def _nothing(self) -> str:
        where = self._config.base_url
        if self._finish_reason == "content_filter":
            return f"{where}: the server's content filter stopped the answer. Ask in other words, or ask another server."
        if self._finish_reason == "length":
            return (
                f"{where}: the model reached its limit of tokens before it answered. Raise "
                "generator.endpoint.max_answer_tokens, or set generator.endpoint.thinking.mode to off."
            )
        ended = f" (it ended with {self._finish_reason!r})" if self._finish_reason not in {"", "stop"} else ""
        return f"{where}: the model wrote nothing{ended}. Ask again, or ask another model."
