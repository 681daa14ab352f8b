"""Knows a server's "this does not fit" when it sees it, and what it says of the sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COUNT = r"\(?~?\s*([\d,]+)"
# Asked, then allowed, in the servers' own words.
_ASKED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"you passed {_COUNT} input tokens",  # vLLM since 0.16
        rf"messages resulted in (?:about )?{_COUNT} tokens",  # OpenAI, NIM
        rf"you requested (?:about )?{_COUNT} tokens",  # OpenAI, older vLLM, llama-cpp-python, OpenRouter
        rf"your (?:request|prompt) (?:has|contains) (?:at least )?{_COUNT} (?:input )?tokens",  # vLLM
        rf"prompt \((?:total )?length {_COUNT}\)",  # vLLM's engine, with pictures
        rf"request {_COUNT} tokens\) exceeds",  # llama.cpp
        rf"requested tokens {_COUNT}\) exceed",  # llama-cpp-python
        rf"input length {_COUNT} tokens\) exceeds",  # Ollama
        rf"prompt is too long: {_COUNT} tokens",  # Anthropic
        rf"input token count {_COUNT}\) exceeds",  # Google
    )
)
_ALLOWED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"context length (?:is|of)(?: only)? {_COUNT}",
        rf"maximum model length of {_COUNT}",
        rf"available context size {_COUNT} tokens",
        rf"context window of {_COUNT}",
        rf"maximum context length {_COUNT}",
        rf"tokens > {_COUNT} maximum",
        rf"maximum number of tokens allowed {_COUNT}",
    )
)
_OUTPUT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (rf"requested {_COUNT} output tokens", rf"{_COUNT} (?:in|for) the (?:completion|output)")
)
_SIGNS = (
    "context_length_exceeded",
    "exceed_context_size",
    "available context size",
    "context length is",
    "exceeds the context length",
    "maximum context length",
    "longer than the context length",
    "longer than the maximum model length",
    "too long to fit into the model",
    "exceed context window",
    "exceeds the context window",
    "prompt is too long",
    "input is too long",
    "model_context_window_exceeded",
    "max_tokens must be at least 1, got -",  # vLLM 0.4
    "should not exceed max_num_tokens",  # TensorRT-LLM
)
_STATUSES = frozenset({0, 400, 413, 422, 500})


@dataclass(frozen=True, slots=True)
class Overflow:
    """
    What a server said of a request that did not fit; None where it did not say.

    Attributes:
        asked_tokens: of the request, without the answer.
        allowed_tokens: of the context, for request and answer together.
    """

    asked_tokens: int | None = None
    allowed_tokens: int | None = None


def find_overflow(status: int, words: str) -> Overflow | None:
    """
    Tell whether an error means that the context did not fit.

    Args:
        status: of the response, or 0 for an error inside a stream.
        words: the error as the server worded it.

    Returns:
        None for every other error.
    """
    lower = words.lower()
    if status not in _STATUSES or not any(sign in lower for sign in _SIGNS):
        return None
    asked, allowed, output = _first(_ASKED, words), _first(_ALLOWED, words), _first(_OUTPUT, words)
    if asked is not None and output is not None and "you passed" not in lower:
        asked = max(asked - output, 0)  # here the sum is given
    return Overflow(asked, allowed)


def _first(patterns: tuple[re.Pattern[str], ...], words: str) -> int | None:
    for pattern in patterns:
        found = pattern.search(words)
        if found:
            return int(found.group(1).replace(",", ""))
    return None
