"""What a chat completion says, in pieces or whole: text, reasoning, why it ended, what it cost, or an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class NotAChatError(ValueError):
    """The server sent something that is no part of a chat completion; the message shows its beginning."""


@dataclass(frozen=True, slots=True)
class Delta:
    """
    A piece of a completion.

    Attributes:
        text, reasoning: what was written; "" for nothing.
        finish_reason: "stop", "length" and others; "" while it goes on.
        usage: tokens by kind, where the server counts.
        error: the server's own words when it failed; "" when it did not.
        error_status: the status the server gives with the error; 0 for none.
    """

    text: str = ""
    reasoning: str = ""
    finish_reason: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    error_status: int = 0


def parse_delta(data: str) -> Delta:
    """
    Read an event's data, or the body of an answer that is not streamed.

    Raises:
        NotAChatError: it is not JSON, or not a chat completion.
    """
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise NotAChatError(excerpt(data)) from None
    if not isinstance(said, dict):
        raise NotAChatError(excerpt(data))
    if error_text(said):
        return Delta(error=error_text(said), error_status=_status(said.get("error")))
    choices = said.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        if _counts(said.get("usage")):
            return Delta(usage=_counts(said["usage"]))
        raise NotAChatError(excerpt(data))
    choice = choices[0] if choices else {}
    part = choice.get("delta") or choice.get("message") or {}
    if not isinstance(part, dict):
        raise NotAChatError(excerpt(data))
    return Delta(
        text=_text(part.get("content")),
        reasoning=_text(part.get("reasoning_content")) or _text(part.get("reasoning")),
        finish_reason=_text(choice.get("finish_reason")),
        usage=_counts(said.get("usage")),
    )


def error_text(said: Mapping[str, Any]) -> str:
    """
    The words of an error that a JSON object reports, in any of the servers' forms; "" when it reports none.

    The upstream provider's own words, which OpenRouter keeps in `metadata.raw`, come last.
    """
    error = said.get("error")
    if error is None and said.get("object") == "error":
        error = said  # older vLLM
    if error is None:
        error = said.get("detail") if "choices" not in said else None  # FastAPI
    if isinstance(error, dict):
        metadata = error.get("metadata")
        raw = metadata.get("raw") if isinstance(metadata, dict) else None
        kinds = [error[key] for key in ("type", "code") if isinstance(error.get(key), str)]
        words = [error.get("message"), *(f"({kind})" for kind in kinds), raw]
        return " ".join(str(word) for word in words if word) or excerpt(json.dumps(error))
    if isinstance(error, list):
        return excerpt(json.dumps(error))
    return str(error) if error else ""


def excerpt(text: str) -> str:
    """The beginning of a text on one line, for a message."""
    flat = " ".join(text[:2000].split())
    return flat if len(flat) <= 200 else flat[:200] + "…"


def _status(error: object) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isdigit():
        code = int(code)
    return code if isinstance(code, int) and 400 <= code < 600 else 0


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):  # parts, as some servers send content
        return "".join(_text(part.get("text")) for part in value if isinstance(part, dict))
    return ""


def _counts(usage: object) -> dict[str, int]:
    if not isinstance(usage, dict):
        return {}
    counts = {name: count for name, count in usage.items() if type(count) is int}
    for details in ("prompt_tokens_details", "completion_tokens_details"):
        inner = usage.get(details)
        if isinstance(inner, dict):
            counts |= {name: count for name, count in inner.items() if type(count) is int}
    return counts
