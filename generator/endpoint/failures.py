"""What went wrong at an endpoint, in words that say what, where and what to do, and whether to try again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from urllib.parse import urlsplit

from ragvl.config import EndpointConfig
from ragvl.errors import GeneratorError
from ragvl.generator.endpoint.deltas import error_text, excerpt
from ragvl.generator.endpoint.overflow import Overflow, find_overflow

_RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})
_UNKNOWN_MODEL = (
    "not found",
    "does not exist",
    "not a valid model",
    "unknown model",
    "no such model",
    "is pinned to",
)
_IMAGE_WORDS = ("image", "vision", "multimodal", "multi-modal", "mmproj")
_SETTING = "generator.endpoint"


class Cause(Enum):
    """Causes that are answered in another way than by an error at once."""

    OTHER = "other"
    UNKNOWN_MODEL = "unknown model"
    OVERFLOW = "overflow"
    SILENT = "a stream that ended without a word"


class EndpointFailure(GeneratorError):
    """
    A request that failed.

    Attributes:
        cause: see `Cause`.
        retryable: whether the same request may succeed later.
        retry_after_s: what the server asked to wait; None when it did not say.
        overflow: what is known of a context that did not fit; None for other causes.
    """

    def __init__(
        self,
        message: str,
        *,
        cause: Cause = Cause.OTHER,
        retryable: bool = False,
        retry_after_s: float | None = None,
        overflow: Overflow | None = None,
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.overflow = overflow


def refused(config: EndpointConfig, status: int, headers: Mapping[str, str], body: str) -> EndpointFailure:
    """The failure behind a status other than 200."""
    if 300 <= status < 400:
        host = urlsplit(headers.get("location", "")).hostname or "another path"
        return EndpointFailure(
            f"{config.base_url} redirects to {host}, which is not followed. If that is the server you mean, put its "
            f"own address into {_SETTING}.base_url."
        )
    return said_error(config, status, _words(body), _seconds(headers.get("retry-after")))


def said_error(
    config: EndpointConfig, status: int, words: str, retry_after_s: float | None = None
) -> EndpointFailure:
    """The failure that a server reports in words, with a status, or inside its stream with 0 for none."""
    where, code = config.base_url, f"{status}: " if status else ""
    said = f"{code}{excerpt(words) or 'no reason given'}"
    lower = words.lower()
    overflow = find_overflow(status, words)
    if overflow is not None:
        advice = (
            f"Set {_SETTING}.context_tokens to what the server allows, or lower {_SETTING}.max_answer_tokens"
        )
        return EndpointFailure(
            f"{where}: question, pages and answer do not fit the model's context ({said}). {advice}.",
            cause=Cause.OVERFLOW,
            overflow=overflow,
        )
    if status in {401, 403}:
        if config.api_key_env:
            advice = f"Check the key in the environment variable {config.api_key_env}"
        else:
            advice = f"Name the environment variable that holds the key in {_SETTING}.api_key_env"
        return EndpointFailure(f"{where} refused the request ({said}). {advice}.")
    if status in {400, 404, 422} and "model" in lower and any(sign in lower for sign in _UNKNOWN_MODEL):
        return EndpointFailure(
            f"{where} has no model named {config.model!r} ({said}). Set {_SETTING}.model.",
            cause=Cause.UNKNOWN_MODEL,
        )
    if status in {404, 405}:
        return EndpointFailure(
            f"{where}/chat/completions is not there ({said}). Set {_SETTING}.base_url; it usually ends in /v1."
        )
    if any(word in lower for word in _IMAGE_WORDS):
        advice = f"For a text-only model set {_SETTING}.sees_images to false; to send fewer, lower generator.context_pages"
        return EndpointFailure(f"{where} does not take the pictures ({said}). {advice}.")
    if status == 429:
        return EndpointFailure(
            f"{where} takes no more requests now ({said}). Wait, or ask its operator for a higher limit.",
            retryable=True,
            retry_after_s=retry_after_s,
        )
    if status in _RETRYABLE:
        return EndpointFailure(
            f"{where} failed ({said}). Look at the server's own log.",
            retryable=True,
            retry_after_s=retry_after_s,
        )
    return EndpointFailure(f"{where} refused the request ({said}). See {_SETTING} in the profile.")


def unreachable(config: EndpointConfig, error: BaseException) -> EndpointFailure:
    """The failure behind a connection that could not be made."""
    text = _innermost(error)
    lower = text.lower()
    if "certificate" in lower or "ssl" in lower:
        advice = "Check its certificate, or the address"
    elif any(
        sign in lower
        for sign in ("name or service", "nodename", "getaddrinfo", "name resolution", "no address")
    ):
        advice = f"Its name is unknown here; check {_SETTING}.base_url"
    else:
        advice = f"Start it, or set {_SETTING}.base_url to where it runs"
    return EndpointFailure(f"no connection to {config.base_url} ({text}). {advice}.", retryable=True)


def too_slow(config: EndpointConfig, what: str, setting: str, seconds: float) -> EndpointFailure:
    """The failure of a server that takes too long."""
    return EndpointFailure(
        f"{config.base_url}: {what} within {seconds:g} seconds. If the server only needs longer, raise "
        f"{_SETTING}.timeouts.{setting}.",
        retryable=setting == "connect_s",
    )


def garbled(config: EndpointConfig, what: str) -> EndpointFailure:
    """The failure of a server that answers something else than a chat completion."""
    return EndpointFailure(
        f"{config.base_url} {what}. Check that {_SETTING}.base_url names an OpenAI-compatible server; it usually "
        "ends in /v1."
    )


def no_list(config: EndpointConfig, what: str) -> EndpointFailure:
    """The failure of a server that does not say which models it has."""
    return EndpointFailure(
        f"{config.base_url}/models gives no list of models ({what}). Set {_SETTING}.model, or {_SETTING}.base_url, "
        "which usually ends in /v1."
    )


def broken_off(
    config: EndpointConfig, error: BaseException | None, *, accepted: bool, begun: bool
) -> EndpointFailure:
    """The failure of a connection that ended before the answer did, once it was accepted, or begun."""
    why = f" ({_innermost(error)})" if error else ""
    when = "in the middle of its answer" if begun else "before it answered"
    return EndpointFailure(
        f"{config.base_url} ended the connection {when}{why}. Ask again, and look at the server's own log if it "
        "stays so.",
        cause=Cause.SILENT if accepted and not begun else Cause.OTHER,
        retryable=not begun,
    )


def _words(body: str) -> str:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return "a web page" if body.lstrip().startswith("<") else excerpt(body)
    return (error_text(said) if isinstance(said, dict) else "") or excerpt(body)


def _seconds(retry_after: str | None) -> float | None:
    """A `Retry-After` header, which holds seconds or a date, as seconds from now."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            when = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return None if math.isnan(seconds) else max(seconds, 0.0)


def _innermost(error: BaseException) -> str:
    """The operating system's own words, which libraries wrap."""
    seen: BaseException = error
    while True:
        inner = seen.__cause__ or seen.__context__
        if isinstance(seen, BaseExceptionGroup) and seen.exceptions:
            inner = seen.exceptions[0]
        if inner is None or inner is seen:
            break
        seen = inner
    return excerpt(str(seen)) or excerpt(str(error)) or type(error).__name__
