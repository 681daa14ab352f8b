"""The generator for served models: shows pages, streams the answer, and lets what is said be checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ragvl.config import EndpointConfig, GeneratorConfig
from ragvl.errors import GeneratorError
from ragvl.generator.endpoint.client import EndpointClient
from ragvl.generator.endpoint.cost import EndpointCost
from ragvl.generator.endpoint.failures import EndpointFailure
from ragvl.generator.endpoint.overflow import Overflow
from ragvl.generator.endpoint.payload import request_body
from ragvl.generator.endpoint.reply import Reply, ThoughtTooLongError
from ragvl.generator.endpoint.writing import write_text
from ragvl.generator.grounding.answering import AnswerClock, finished, settled
from ragvl.generator.grounding.prompt import Prompt, Turn, prompt_parts
from ragvl.generator.grounding.stream import GroundedStream
from ragvl.protocols import TextEncoder, TokenCost
from ragvl.retrievers.context import shrink
from ragvl.types import Answer, Context, PageImage, TextDelta

_SHRINKS = 3
_TEMPLATE_TOKENS = 64  # what a chat template writes around the messages


class EndpointGenerator:
    """
    Answers by a model behind an OpenAI-compatible endpoint; nothing is sent before it is asked.

    Args:
        config: with `endpoint`.
        encoder: not used; every generator is given one.
    """

    name = "endpoint"

    def __init__(self, config: GeneratorConfig, encoder: TextEncoder) -> None:
        self._config = config.endpoint
        self.cost: TokenCost = EndpointCost(config.endpoint)

    def page_tokens(self, question: str, history: Sequence[Turn] = ()) -> int:
        """Tokens that the pages of a context may take together beside the question, the rules and the answer."""
        thoughts = 0 if self._config.thinking.mode == "off" else self._config.thinking.budget_tokens
        taken = self._frame_tokens(prompt_parts(Context((), ()), question, history)) + thoughts
        return max(0, self._config.context_tokens - self._config.max_answer_tokens - taken)

    def stream(
        self, context: Context, question: str, options: Mapping[str, object]
    ) -> Iterator[TextDelta | Answer]:
        """
        Yield the answer's text as it is written, then the `Answer`; closing the iterator closes the connection.

        A context that the server finds too large is made smaller, and the ledger says so.

        Args:
            context: with `pages`; nothing is asked when there are none.
            question: as a person asks it.
            options: `thinking` ("on", "off", "auto"), `temperature`, `max_answer_tokens`, in place of the configured
                ones, and `history`, the `Turn`s before this question.

        Raises:
            ValueError: an unknown option, or a value out of range.
            GeneratorError: the server cannot be reached, refuses, or breaks off; text yielded before stays true.
        """
        config, history = settled(self._config, options, self.name)
        clock = AnswerClock()
        if not context.pages:
            yield from finished(GroundedStream(context, question, self.name), {}, clock)
            return
        client = EndpointClient(config)
        ends_at = clock.started_at + config.timeouts.total_s
        model = client.only_model()
        usage: dict[str, int] = {}
        shrinks = 0
        while True:
            grounded = GroundedStream(context, question, self.name)
            prompt = prompt_parts(context, question, history)
            reply = Reply(config, config.thinking.mode)
            deltas = client.complete(request_body(config, model, prompt), ends_at)
            try:
                for text in reply.read(deltas):
                    shown = grounded.feed(text)
                    if shown:
                        clock.see_text()
                        yield TextDelta(shown)
                break
            except EndpointFailure as failure:
                if failure.overflow is None or shrinks == _SHRINKS or reply.first_token_at is not None:
                    raise
                context = self._smaller(context, prompt, config, failure)
                shrinks += 1
            except ThoughtTooLongError:
                config = _without_thinking(config)
            finally:
                deltas.close()
                clock.first_token_at = clock.first_token_at or reply.first_token_at
                usage = {name: usage.get(name, 0) + reply.usage.get(name, 0) for name in usage | reply.usage}
        if reply.is_cut and (mark := grounded.feed(" …")):
            yield TextDelta(mark)
        yield from finished(grounded, usage, clock)

    def write(
        self,
        system: str,
        parts: Sequence[str | PageImage],
        *,
        schema: Mapping[str, object] | None = None,
        max_tokens: int | None = None,
    ) -> Iterator[str]:
        """Yield what the model writes, see `ragvl.protocols.Writer`."""
        limit = {} if max_tokens is None else {"max_answer_tokens": max_tokens}
        return write_text(self._config.model_copy(update=limit), Prompt(system, tuple(parts)), schema)

    def _frame_tokens(self, prompt: Prompt) -> int:
        """Tokens of a prompt that is not pages."""
        asked = prompt.parts[-1]
        words = asked if isinstance(asked, str) else ""
        return self.cost.text_tokens(prompt.system) + self.cost.text_tokens(words) + _TEMPLATE_TOKENS

    def _smaller(
        self, context: Context, prompt: Prompt, config: EndpointConfig, failure: EndpointFailure
    ) -> Context:
        """
        A context that should fit what the server said.

        Raises:
            EndpointFailure: nothing of it would be left.
        """
        pages = sum(page.cost_tokens for page in context.pages)
        frame = self._frame_tokens(prompt)
        tokens = _target(failure.overflow or Overflow(), pages, frame, config.max_answer_tokens)
        smaller = shrink(context, tokens, self.cost)
        if not smaller.pages:
            raise failure
        return smaller


def _target(overflow: Overflow, pages: int, frame: int, answer: int) -> int:
    """
    Tokens, as we count, that pages may take where a server refused so many of them.

    What it says of its own counts tells how ours compare; a context is always made smaller by a tenth at least.
    """
    if overflow.allowed_tokens is None:
        return round(0.6 * pages)
    room = overflow.allowed_tokens - answer
    share = room / max(1, overflow.asked_tokens or pages + frame)
    return max(0, min(round(0.9 * pages), round(0.95 * share * (pages + frame)) - frame))


def _without_thinking(config: EndpointConfig) -> EndpointConfig:
    """
    The same without thinking.

    Raises:
        GeneratorError: that is what it is already.
    """
    if config.thinking.mode == "off":
        raise GeneratorError(
            f"{config.base_url}: the model thinks although it was told not to, for more than "
            f"{config.thinking.budget_tokens} tokens. Set generator.endpoint.thinking.switch to what it understands."
        )
    return config.model_copy(update={"thinking": config.thinking.model_copy(update={"mode": "off"})})
