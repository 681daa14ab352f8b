"""The generator that runs Nemotron Nano 12B v2 VL in this process: shows pages, streams the answer, checks it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragvl.arbiter import Arbiter
from ragvl.config import GeneratorConfig, NemotronConfig
from ragvl.errors import GeneratorError, MissingExtraError
from ragvl.generator.grounding.answering import AnswerClock, finished, settled
from ragvl.generator.grounding.prompt import Prompt, Turn, prompt_parts
from ragvl.generator.grounding.stream import GroundedStream
from ragvl.memory import budgets
from ragvl.protocols import TextEncoder, TokenCost
from ragvl.retrievers.context import shrink
from ragvl.types import Answer, Context, PageImage, TextDelta

if TYPE_CHECKING:
    from ragvl.generator.nemotron.prompt.encoder import PromptInputs
    from ragvl.generator.nemotron.session import Session

__all__ = ["NemotronGenerator"]

_SHRINKS = 3
_LABEL_TOKENS = 32  # by which the labels in the rules may be longer than those that were counted


class NemotronGenerator:
    """
    Answers by a model that runs here; nothing is loaded before it is asked.

    Args:
        config: with `nemotron`.
        encoder: not used; every generator is given one.
    """

    name = "nemotron"

    def __init__(self, config: GeneratorConfig, encoder: TextEncoder) -> None:
        self._config = config.nemotron
        self._arbiter: Arbiter | None = None
        self._folder: Path | None = None
        self._opened: Session | None = None

    @property
    def device(self) -> str:
        """Where the model runs, as configured."""
        return self._config.device

    def share(self, arbiter: Arbiter, folder: Path) -> None:
        """Take what it may use, see `ragvl.protocols.LocalGenerator`."""
        self._arbiter, self._folder = arbiter, folder

    @property
    def cost(self) -> TokenCost:
        """
        How it counts: by its own tokenizer.

        Raises:
            RagvlError: the model is not here, or will not fit.
        """
        return self._session.cost

    def page_tokens(self, question: str, history: Sequence[Turn] = ()) -> int:
        """Tokens that the pages of a context may take together beside the question, the rules and the answer."""
        prompt = prompt_parts(Context((), ()), question, history)
        taken = len(self._inputs(prompt, self._config)) + self._room(self._config) + _LABEL_TOKENS
        return max(0, self._config.context_tokens - taken)

    def stream(
        self, context: Context, question: str, options: Mapping[str, object]
    ) -> Iterator[TextDelta | Answer]:
        """
        Yield the answer's text as it is written, then the `Answer`; closing the iterator stops the model.

        Args:
            context: with `pages`; nothing is asked when there are none.
            question: as a person asks it.
            options: `thinking` ("on", "off"), `temperature`, `max_answer_tokens`, in place of the configured ones, and
                `history`, the `Turn`s before this question.

        Raises:
            ValueError: an unknown option, or a value out of range.
            GeneratorError: a page cannot be seen, nothing of the context fits, or the model wrote nothing.
            ModelFileError, ConfigError, DeviceMemoryError, MissingExtraError: the model cannot be used here.
        """
        config, history = settled(self._config, options, self.name)
        clock = AnswerClock()
        if not context.pages:
            yield from finished(GroundedStream(context, question, self.name), {}, clock)
            return
        from ragvl.generator.nemotron.writing import Writing

        texts = [page.hit.page.text for page in context.pages]
        with self._session.at_work() as engine:
            context, inputs = self._fitting(context, question, history, config)
            grounded = GroundedStream(context, question, self.name)
            writing = Writing(self._session, config, texts)
            for text in writing.read(engine, inputs):
                clock.first_token_at = writing.first_token_at
                shown = grounded.feed(text)
                if shown:
                    clock.see_text()
                    yield TextDelta(shown)
        if writing.is_cut and (mark := grounded.feed(" …")):
            yield TextDelta(mark)
        yield from finished(grounded, writing.usage, clock)

    def write(
        self,
        system: str,
        parts: Sequence[str | PageImage],
        *,
        schema: Mapping[str, object] | None = None,
        max_tokens: int | None = None,
    ) -> Iterator[str]:
        """Yield what the model writes, see `ragvl.protocols.Writer`; it is told a schema where that fits, and not held to it."""
        from ragvl.generator.nemotron.writing import Writing

        limit = {} if max_tokens is None else {"max_answer_tokens": max_tokens}
        config = self._config.model_copy(update=limit)
        texts = [part for part in parts if isinstance(part, str)]
        with self._session.at_work() as engine:
            inputs = self._inputs(Prompt(_told(system, schema), tuple(parts)), config)
            if schema is not None and self._over(inputs, config) > 0:
                inputs = self._inputs(Prompt(system, tuple(parts)), config)
            self._require_room(inputs, config)
            writing = Writing(self._session, config, texts)
            yield from writing.read(engine, inputs)
        if writing.is_cut:
            if schema is not None:
                raise GeneratorError(
                    f"{config.model}: the answer was cut at {config.max_answer_tokens} tokens, before its form was "
                    "complete. Raise generator.nemotron.max_answer_tokens, or ask for fewer fields."
                )
            yield " …"

    @property
    def _session(self) -> Session:
        if self._opened is None:
            try:
                from ragvl.generator.nemotron.session import open_session
            except ModuleNotFoundError as error:
                raise MissingExtraError(
                    f'the generator "nemotron" needs the package {error.name!r}: pip install "ragvl[vl]"'
                ) from error
            if self._arbiter is None:
                found = budgets(self._config.device)
                self._arbiter = Arbiter(found.device_bytes, found.host_bytes)
            self._opened = open_session(self._config, self._arbiter, self._folder)
        return self._opened

    def _fitting(
        self, context: Context, question: str, history: Sequence[Turn], config: NemotronConfig
    ) -> tuple[Context, PromptInputs]:
        """
        A prompt that fits, of a context made smaller where it does not.

        Raises:
            GeneratorError: nothing of it would be left.
        """
        inputs = self._inputs(prompt_parts(context, question, history), config)
        for _ in range(_SHRINKS):
            over = self._over(inputs, config)
            if over <= 0:
                break
            tokens = sum(page.cost_tokens for page in context.pages) - over
            context = shrink(context, max(0, tokens), self.cost)
            if not context.pages:
                break
            inputs = self._inputs(prompt_parts(context, question, history), config)
        self._require_room(inputs, config)
        return context, inputs

    def _inputs(self, prompt: Prompt, config: NemotronConfig) -> PromptInputs:
        think = config.thinking.mode == "on"
        return self._session.encoder.encode(prompt.parts, system=prompt.system, think=think)

    def _room(self, config: NemotronConfig) -> int:
        from ragvl.generator.nemotron.writing import room_tokens

        return room_tokens(self._session, config)

    def _over(self, inputs: PromptInputs, config: NemotronConfig) -> int:
        """Tokens that prompt and answer pass the context by."""
        return len(inputs) + self._room(config) - config.context_tokens

    def _require_room(self, inputs: PromptInputs, config: NemotronConfig) -> None:
        if self._over(inputs, config) > 0:
            room = self._room(config)
            raise GeneratorError(
                f"what is asked takes {len(inputs):,} tokens and the answer up to {room:,}, more than the "
                f"{config.context_tokens:,} of generator.nemotron.context_tokens. Raise it, lower max_answer_tokens or "
                "max_tiles, or show fewer pages."
            )


def _told(system: str, schema: Mapping[str, object] | None) -> str:
    if schema is None:
        return system
    return f"{system}\nWrite one JSON object by this JSON Schema, and nothing else: {json.dumps(schema, ensure_ascii=False)}"
