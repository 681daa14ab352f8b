"""One text as the engine writes it: thoughts kept apart and within their budget, cut at the answer's limit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from ragvl.config import NemotronConfig
from ragvl.errors import GeneratorError
from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.prompt.budget import ThinkingBudget
from ragvl.generator.nemotron.prompt.encoder import PromptInputs
from ragvl.generator.nemotron.prompt.streaming import AnswerStream
from ragvl.generator.nemotron.request import Options, Request
from ragvl.generator.nemotron.sampling import Sampling
from ragvl.generator.nemotron.session import Session
from ragvl.generator.nemotron.speculation.ngrams import NgramDrafter

__all__ = ["Writing", "room_tokens"]

_GRACE_TOKENS = 64  # for a thought to end its line
_SHORTEST_TEXT = 8  # tokens; of less there is nothing to guess


def room_tokens(session: Session, config: NemotronConfig) -> int:
    """Tokens that an answer and its thought may take."""
    budget = _budget(session, config)
    return config.max_answer_tokens + (budget.reserve if budget else 0)


class Writing:
    """
    Writes one text; use once, while the session is at work.

    Args:
        session: whose model writes.
        config: with the options of this call.
        texts: what the text is likely to quote.

    Attributes:
        usage: tokens by kind, when it has ended.
        first_token_at: moment by `time.monotonic`; None before it.
        is_cut: whether the text ends where it was stopped.
    """

    def __init__(self, session: Session, config: NemotronConfig, texts: Sequence[str]) -> None:
        self.usage: dict[str, int] = {}
        self.first_token_at: float | None = None
        self.is_cut = False
        self._session, self._config, self._texts = session, config, texts
        self._budget = _budget(session, config)
        self._closing = 0
        self._has_text = False

    def read(self, engine: Engine, inputs: PromptInputs) -> Iterator[str]:
        """
        Yield the text as it is written; closing the iterator ends the request.

        Raises:
            GeneratorError: prompt and answer do not fit, or the model wrote nothing.
        """
        request, reused = self._session.start(engine, inputs, self._options())
        try:
            yield from self._pieces(engine, request)
        finally:
            engine.cancel(request)
            self.usage = {
                "prompt_tokens": len(inputs),
                "reused_tokens": reused,
                "completion_tokens": len(request.tokens),
                "thought_tokens": self._budget.spent if self._budget else 0,
                "guessed_tokens": request.checked,
                "accepted_tokens": request.accepted,
            }
        if not self._has_text:
            raise GeneratorError(f"{self._config.model} wrote nothing. Ask again, or in other words.")

    def _pieces(self, engine: Engine, request: Request) -> Iterator[str]:
        stream = AnswerStream(self._session.encoder.tokenizer, think=self._budget is not None)
        shown = 0
        while True:
            new = request.tokens[shown:]
            shown = len(request.tokens)
            self.first_token_at = self.first_token_at or time.monotonic()
            yield from self._out(stream.feed(new).answer)
            closing = self._budget.feed(new) if self._budget else ()
            if closing and request.ending is None:
                self._closing = len(closing)
                engine.extend(request, closing)
                continue
            if request.ending is not None or self._is_full(request):
                break
            engine.step()
        self.is_cut = request.ending != "stop"
        yield from self._out(stream.finish(cut=self.is_cut).answer)

    def _out(self, text: str) -> Iterator[str]:
        if text:
            self._has_text = True
            yield text

    def _is_full(self, request: Request) -> bool:
        """Whether the answer, thoughts aside, has reached its limit."""
        if self._budget is None or self._budget.is_open:
            return False
        answer = len(request.tokens) - self._budget.spent - self._closing
        return answer >= self._config.max_answer_tokens

    def _options(self) -> Options:
        config = self._config
        sampling = Sampling(config.temperature, config.top_p, config.seed)
        tokenizer, greedy = self._session.encoder.tokenizer, config.temperature == 0
        texts = [tokenizer.encode(text) for text in self._texts] if greedy and self._budget is None else []
        texts = [text for text in texts if len(text) >= _SHORTEST_TEXT]
        return Options(
            max_tokens=room_tokens(self._session, config),
            stop_ids=self._session.encoder.markers.stop,
            sampling=sampling,
            drafter=NgramDrafter(texts) if texts else None,
        )


def _budget(session: Session, config: NemotronConfig) -> ThinkingBudget | None:
    if config.thinking.mode == "off":
        return None
    return ThinkingBudget(
        session.encoder.tokenizer, config.thinking.budget_tokens, grace_tokens=_GRACE_TOKENS
    )
