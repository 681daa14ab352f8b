"""Asks an endpoint for completions, again where that may help, and for the models that it offers."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from typing import Any

from ragvl.config import EndpointConfig, secret_from_environment
from ragvl.errors import GeneratorError
from ragvl.generator.endpoint.background import Background
from ragvl.generator.endpoint.deltas import Delta, excerpt
from ragvl.generator.endpoint.failures import Cause, EndpointFailure, no_list
from ragvl.generator.endpoint.wire import fetch_models, send_chat

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 8.0
_MODELS_SHOWN = 12


class EndpointClient:
    """
    A client of one endpoint; keeps no connection between requests, and may be used from several threads.

    Args:
        config: of the endpoint.
        sleep: waits between attempts, seconds.
    """

    def __init__(self, config: EndpointConfig, sleep: Callable[[float], None] = time.sleep) -> None:
        self._config = config
        self._sleep = sleep

    def complete(self, body: dict[str, Any], ends_at: float) -> Generator[Delta, None, None]:
        """
        Yield a completion's deltas as they arrive; closing the iterator closes the connection.

        Args:
            body: of the request.
            ends_at: moment by `time.monotonic` at which all waiting ends.

        Raises:
            EndpointFailure: it failed, after as many attempts as the configuration allows and the first token permits.
        """
        key = self._key()
        attempt = 0
        while True:
            begun = False
            answer = Background[Delta](partial(send_chat, self._config, key, body, ends_at))
            try:
                for delta in answer:
                    begun = begun or bool(delta.text or delta.reasoning)
                    yield delta
                return
            except EndpointFailure as failure:
                wait_s = self._wait_s(failure, attempt, ends_at)
                if failure.cause is Cause.SILENT and body.get("stream"):
                    # Without streaming, the same server says with a status what is wrong.
                    body = {name: value for name, value in body.items() if not name.startswith("stream")}
                    wait_s = wait_s or 0.0
                if begun or wait_s is None:
                    raise self._told(failure, attempt, key) from None
            finally:
                answer.close()
            self._sleep(wait_s)
            attempt += 1

    def models(self) -> tuple[str, ...]:
        """
        Names of the models that the server offers, in its order.

        Raises:
            EndpointFailure: it gives no list.
        """
        key = self._key()
        answer = Background[str](partial(fetch_models, self._config, key))
        try:
            body = "".join(answer)
        finally:
            answer.close()
        try:
            offered = json.loads(body)["data"]
            return tuple(str(model["id"]) for model in offered)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise no_list(self._config, excerpt(body)) from None

    def only_model(self) -> str:
        """
        The model to ask for: the one configured, else the only one that the server offers.

        Raises:
            GeneratorError: none is configured and the server offers several, or none.
        """
        if self._config.model:
            return self._config.model
        offered = self.models()
        if len(offered) == 1:
            return offered[0]
        raise GeneratorError(
            f"{self._config.base_url} {_listed(offered)}. Set generator.endpoint.model to the one to ask."
        )

    def _key(self) -> str | None:
        variable = self._config.api_key_env
        if not variable:
            return None
        key = secret_from_environment(variable)
        if key is None:
            raise GeneratorError(
                f"the environment variable {variable} is not set, which generator.endpoint.api_key_env names for the "
                f"key of {self._config.base_url}. Set it, or clear api_key_env for a server that needs no key."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise GeneratorError(
                f"the environment variable {variable} holds no usable key: it has odd characters"
            )
        return key

    def _wait_s(self, failure: EndpointFailure, attempt: int, ends_at: float) -> float | None:
        """How long to wait before the next attempt; None when there shall be none."""
        if not failure.retryable or attempt >= self._config.retries:
            return None
        wait_s = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S) * random.uniform(0.5, 1.0)
        wait_s = max(wait_s, failure.retry_after_s or 0.0)
        return wait_s if time.monotonic() + wait_s < ends_at else None

    def _told(self, failure: EndpointFailure, attempt: int, key: str | None) -> EndpointFailure:
        """The failure as it is to be read: with the attempts made and the models there are, and without the key."""
        message = str(failure)
        if failure.cause is Cause.UNKNOWN_MODEL:
            with suppress(GeneratorError):
                message += f" The server {_listed(self.models())}."
        if attempt:
            message += f" It was tried {attempt + 1} times."
        if failure.retry_after_s:
            message += f" It asks to wait {failure.retry_after_s:.0f} seconds."
        if key:
            message = message.replace(key, "***")
        return EndpointFailure(
            message,
            cause=failure.cause,
            retryable=failure.retryable,
            retry_after_s=failure.retry_after_s,
            overflow=failure.overflow,
        )


def _listed(models: tuple[str, ...]) -> str:
    if not models:
        return "offers no model"
    more = f" and {len(models) - _MODELS_SHOWN} more" if len(models) > _MODELS_SHOWN else ""
    return f"offers {', '.join(models[:_MODELS_SHOWN])}{more}"
