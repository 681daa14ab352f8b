"""Servers' own words for a context that does not fit."""

from __future__ import annotations

import pytest

from ragvl.generator.endpoint.overflow import Overflow, find_overflow


@pytest.mark.parametrize(
    ("status", "words", "asked", "allowed"),
    [
        (
            400,
            (
                "You passed 1015 input tokens and requested 10 output tokens. However, the model's context length is only "
                "1024 tokens, resulting in a maximum input length of 1014 tokens. Please reduce the length of the input "
                "prompt. (parameter=input_tokens, value=1015)"
            ),
            1015,
            1024,
        ),
        (
            400,
            (
                "This model's maximum context length is 4096 tokens. However, you requested 6379 tokens (6029 in the "
                "messages, 350 in the completion). Please reduce the length of the messages or completion."
            ),
            6029,
            4096,
        ),
        (
            400,
            (
                "This model's maximum context length is 8192 tokens. However, your messages resulted in 8227 tokens. Please "
                "reduce the length of the messages. (invalid_request_error) (context_length_exceeded)"
            ),
            8227,
            8192,
        ),
        (
            400,
            (
                "This endpoint's maximum context length is 256000 tokens. However, you requested about 256493 tokens (194895 "
                "of text input, 10398 of tool input, 51200 in the output)."
            ),
            205293,
            256000,
        ),
        (
            400,
            (
                "'max_tokens' is too large: 1024. This model's maximum context length is 4096 tokens and your request has "
                "4000 input tokens (1024 > 4096 - 4000)."
            ),
            4000,
            4096,
        ),
        (
            400,
            (
                "The decoder prompt (length 15083) is longer than the maximum model length of 8192. Make sure that "
                "`max_model_len` is no smaller than the number of text tokens plus multimodal tokens."
            ),
            15083,
            8192,
        ),
        (
            400,
            (
                "request (14429 tokens) exceeds the available context size (8192 tokens), try increasing it "
                "(exceed_context_size_error)"
            ),
            14429,
            8192,
        ),
        (500, "the request exceeds the available context size. (exceed_context_size_error)", None, None),
        (400, "Requested tokens (2285) exceed context window of 2048", 2285, 2048),
        (0, "Requested tokens (2285) exceed context window of 2048", 2285, 2048),
        (
            400,
            (
                "This model's maximum context length is 2048 tokens, however you requested 2300 tokens (2200 in your prompt; "
                "100 for the completion). Please reduce your prompt; or completion length."
            ),
            2200,
            2048,
        ),
        (400, "the input length exceeds the context length", None, None),
        (
            400,
            "input length (9000 tokens) exceeds the model's maximum context length (8192 tokens)",
            9000,
            8192,
        ),
        (400, "max_tokens must be at least 1, got -186.", None, None),
        (413, "prompt is too long: 215,000 tokens > 200,000 maximum", 215000, 200000),
    ],
)
def test_overflows(status: int, words: str, asked: int | None, allowed: int | None) -> None:
    """vLLM of several years, OpenAI, OpenRouter, llama.cpp, llama-cpp-python, Ollama and others."""
    assert find_overflow(status, words) == Overflow(asked, allowed)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (429, "Rate limit reached: 30000 tokens per minute; context length is 8192"),
        (401, "maximum context length"),
        (400, "Unknown field context"),
        (500, "CUDA out of memory"),
        (400, "At most 4 image(s) may be provided in one prompt."),
        (400, "max_tokens=140000 cannot be greater than max_model_len=max_total_tokens=131072."),
    ],
)
def test_other_errors_are_none(status: int, words: str) -> None:
    """A smaller context would not help."""
    assert find_overflow(status, words) is None
