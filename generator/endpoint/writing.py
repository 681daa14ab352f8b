"""Plain requests to a served model: text as it is told to write it, held to a schema where the server can."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from ragvl.config import EndpointConfig
from ragvl.errors import GeneratorError
from ragvl.generator.endpoint.client import EndpointClient
from ragvl.generator.endpoint.failures import Cause, EndpointFailure
from ragvl.generator.endpoint.payload import request_body
from ragvl.generator.endpoint.reply import Reply, ThoughtTooLongError
from ragvl.generator.grounding.prompt import Prompt

_FORMAT_WORDS = ("response_format", "json_schema", "guided", "grammar", "structured output", "schema")


def write_text(
    config: EndpointConfig, prompt: Prompt, schema: Mapping[str, object] | None = None
) -> Iterator[str]:
    """
    Yield what the model writes, without its thoughts.

    A server that refuses a schema is asked again without one; thoughts past their budget are ended in the same way.

    Args:
        config: of the endpoint.
        prompt: the rules and what is shown.
        schema: JSON Schema of the text.

    Raises:
        GeneratorError: the server fails, the model thinks without end, or a text with a schema was cut at its limit.
    """
    client = EndpointClient(config)
    ends_at = time.monotonic() + config.timeouts.total_s
    model = client.only_model()
    held_to = schema
    while True:
        reply = Reply(config, config.thinking.mode)
        deltas = client.complete(request_body(config, model, prompt) | _format(held_to), ends_at)
        try:
            yield from reply.read(deltas)
            break
        except EndpointFailure as failure:
            if held_to is None or reply.first_token_at is not None or not _is_about_format(failure):
                raise
            held_to = None
        except ThoughtTooLongError:
            if config.thinking.mode == "off":
                raise GeneratorError(
                    f"{config.base_url}: the model thinks although it was told not to. Set "
                    "generator.endpoint.thinking.switch to what it understands."
                ) from None
            config = config.model_copy(
                update={"thinking": config.thinking.model_copy(update={"mode": "off"})}
            )
        finally:
            deltas.close()
    if reply.is_cut:
        if schema is not None:
            raise GeneratorError(
                f"{config.base_url}: the model's answer was cut at {config.max_answer_tokens} tokens, before its form "
                "was complete. Raise generator.endpoint.max_answer_tokens, or ask for fewer fields."
            )
        yield " …"


def _format(schema: Mapping[str, object] | None) -> dict[str, Any]:
    if schema is None:
        return {}
    form = {"name": "answer", "strict": True, "schema": dict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def _is_about_format(failure: EndpointFailure) -> bool:
    return failure.cause is Cause.OTHER and any(word in str(failure).lower() for word in _FORMAT_WORDS)
