"""One request on the wire, and what comes back, with an end to every wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx2

from ragvl.config import EndpointConfig
from ragvl.generator.endpoint import failures
from ragvl.generator.endpoint.deltas import Delta, NotAChatError, excerpt, parse_delta
from ragvl.generator.endpoint.events import Event, EventParser, EventTooLongError

_MAX_BYTES = 64 * 2**20
_MAX_ERROR_BYTES = 2**16
_AFTER_END_S = 5.0  # for the token counts, which follow the last token


async def send_chat(
    config: EndpointConfig,
    key: str | None,
    body: dict[str, Any],
    ends_at: float,
    emit: Callable[[Delta], None],
) -> None:
    """
    Ask for a completion and emit its deltas.

    Args:
        config: of the endpoint.
        key: sent as a bearer token.
        body: sent as JSON.
        ends_at: moment by `time.monotonic` at which all waiting ends.
        emit: called with each delta as it arrives.

    Raises:
        EndpointFailure: the completion is not whole.
    """
    reading = _Reading(config, ends_at, emit)
    try:
        async with asyncio.timeout_at(reading.first_token_by) as timer:
            async with _response(config, "POST", "/chat/completions", key, body) as response:
                await reading.read(response, timer)
    except TimeoutError:
        if not reading.ended:
            raise reading.too_slow() from None
    except httpx2.HTTPError as error:
        if not reading.ended:
            raise _failure(config, error, accepted=reading.accepted, begun=reading.begun) from None


async def fetch_models(config: EndpointConfig, key: str | None, emit: Callable[[str], None]) -> None:
    """
    Emit the body of the server's list of models.

    Raises:
        EndpointFailure: it gives none.
    """
    seconds = config.timeouts.connect_s
    try:
        async with asyncio.timeout(seconds), _response(config, "GET", "/models", key, None) as response:
            if response.status_code in {404, 405}:
                raise failures.no_list(config, f"{response.status_code}")
            if response.status_code != 200:
                body = await _body(response, _MAX_ERROR_BYTES)
                raise failures.refused(config, response.status_code, response.headers, body)
            emit(await _body(response, _MAX_BYTES))
    except TimeoutError:
        raise failures.too_slow(config, "no list of models", "connect_s", seconds) from None
    except httpx2.HTTPError as error:
        raise _failure(config, error) from None


class _Reading:
    """The state of one answer as it comes in."""

    def __init__(self, config: EndpointConfig, ends_at: float, emit: Callable[[Delta], None]) -> None:
        self.accepted = False
        self.begun = False
        self.ended = False
        self.first_token_by = min(time.monotonic() + config.timeouts.first_token_s, ends_at)
        self._config = config
        self._ends_at = ends_at
        self._emit = emit
        self._received = 0

    async def read(self, response: httpx2.Response, timer: asyncio.Timeout) -> None:
        if response.status_code != 200:
            body = await _body(response, _MAX_ERROR_BYTES)
            raise failures.refused(self._config, response.status_code, response.headers, body)
        self.accepted = True
        parser = EventParser()
        start = b""
        chunks = self._chunks(response)
        async for chunk in chunks:
            start += chunk
            if start.strip(b"\xef\xbb\xbf \t\r\n"):
                break
        kind = start.strip(b"\xef\xbb\xbf \t\r\n")[:1]
        if kind in {b"{", b"["}:
            rest = [chunk async for chunk in chunks]
            self._take_whole((start + b"".join(rest)).decode("utf-8-sig", errors="replace"))
            return
        if kind == b"<":
            raise failures.garbled(self._config, "answered with a web page")
        try:
            if self._take(parser.feed(start), timer):
                return
            async for chunk in chunks:
                if self._take(parser.feed(chunk), timer):
                    return
            self._take(parser.finish(), timer)
        except EventTooLongError as error:
            raise failures.garbled(self._config, f"sends without end: {error}") from None
        if not self.ended:
            raise failures.broken_off(self._config, None, accepted=True, begun=self.begun)

    def too_slow(self) -> failures.EndpointFailure:
        timeouts = self._config.timeouts
        if time.monotonic() >= self._ends_at:
            return failures.too_slow(self._config, "the answer was not whole", "total_s", timeouts.total_s)
        if self.begun:
            return failures.too_slow(self._config, "the next token did not come", "idle_s", timeouts.idle_s)
        return failures.too_slow(self._config, "no token came", "first_token_s", timeouts.first_token_s)

    async def _chunks(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        async for chunk in response.aiter_bytes():
            self._received += len(chunk)
            if self._received > _MAX_BYTES:
                raise failures.garbled(self._config, f"sent more than {_MAX_BYTES:,} bytes")
            yield chunk

    def _take(self, events: Iterable[Event], timer: asyncio.Timeout) -> bool:
        """Emit what events say; whether the server said that there will be no more."""
        for event in events:
            data = event.data.strip()
            if data == "[DONE]":
                self.ended = True
                return True
            if data and self._take_event(event, data):
                self._wait_on(timer)
        return False

    def _take_event(self, event: Event, data: str) -> bool:
        """Emit what an event says; whether it held a token or the end."""
        try:
            delta = parse_delta(data)
        except NotAChatError as error:
            if event.name == "error":
                raise failures.said_error(self._config, 0, str(error)) from None
            if event.name != "message":
                return False
            raise failures.garbled(
                self._config, f"sent an event that is no part of a chat: {error}"
            ) from None
        self._raise_error(delta)
        self._emit(delta)
        self.begun = self.begun or bool(delta.text or delta.reasoning)
        self.ended = self.ended or bool(delta.finish_reason)
        return bool(delta.text or delta.reasoning or delta.finish_reason)

    def _take_whole(self, body: str) -> None:
        """Emit what an answer in one piece says, as a server gives that does not stream."""
        try:
            delta = parse_delta(body)
        except NotAChatError as error:
            raise failures.garbled(
                self._config, f"sent something that is no chat completion: {error}"
            ) from None
        self._raise_error(delta)
        self.ended = True
        self._emit(delta)

    def _raise_error(self, delta: Delta) -> None:
        if delta.error:
            failure = failures.said_error(self._config, delta.error_status, delta.error)
            failure.retryable = failure.retryable and not self.begun
            raise failure

    def _wait_on(self, timer: asyncio.Timeout) -> None:
        wait_s = self._config.timeouts.idle_s
        if self.ended:
            wait_s = min(wait_s, _AFTER_END_S)
        timer.reschedule(min(time.monotonic() + wait_s, self._ends_at))


@asynccontextmanager
async def _response(
    config: EndpointConfig, method: str, path: str, key: str | None, body: dict[str, Any] | None
) -> AsyncIterator[httpx2.Response]:
    headers = {
        "accept": "text/event-stream, application/json",
        "accept-encoding": "identity",
        "user-agent": "ragvl",
    }
    if key:
        headers["authorization"] = f"Bearer {key}"
    # A proxy that the environment names is for other machines; the certificates are the system's either way.
    async with (
        httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=config.timeouts.connect_s),
            follow_redirects=False,
            trust_env=not _is_local(config.base_url),
        ) as client,
        client.stream(method, config.base_url + path, headers=headers, json=body) as response,
    ):
        yield response


async def _body(response: httpx2.Response, limit_bytes: int) -> str:
    """The beginning of a body as text."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= limit_bytes:
            break
    return body[:limit_bytes].decode("utf-8", errors="replace")


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _failure(
    config: EndpointConfig, error: httpx2.HTTPError, *, accepted: bool = False, begun: bool = False
) -> failures.EndpointFailure:
    if isinstance(error, httpx2.ConnectTimeout):
        return failures.too_slow(config, "no connection", "connect_s", config.timeouts.connect_s)
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError | httpx2.UnsupportedProtocol):
        return failures.unreachable(config, error)
    if isinstance(error, httpx2.DecodingError):
        return failures.garbled(config, f"sent a body that cannot be unpacked ({excerpt(str(error))})")
    return failures.broken_off(config, error, accepted=accepted, begun=begun)
