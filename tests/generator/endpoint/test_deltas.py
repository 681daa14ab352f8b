"""What servers send, in their several forms."""

from __future__ import annotations

import json

import pytest

from ragvl.generator.endpoint.deltas import Delta, NotAChatError, parse_delta


@pytest.mark.parametrize(
    ("said", "delta"),
    [
        ({"choices": [{"delta": {"content": "a"}}]}, Delta(text="a")),
        ({"choices": [{"delta": {"content": None, "reasoning_content": "b"}}]}, Delta(reasoning="b")),
        ({"choices": [{"delta": {"reasoning": "c", "content": ""}}]}, Delta(reasoning="c")),
        ({"choices": [{"delta": {"reasoning": "c", "reasoning_content": "c"}}]}, Delta(reasoning="c")),
        ({"choices": [{"delta": {}, "finish_reason": "stop"}]}, Delta(finish_reason="stop")),
        ({"choices": [{"delta": None}]}, Delta()),
        ({"choices": [], "usage": {"total_tokens": 3, "ok": True}}, Delta(usage={"total_tokens": 3})),
        ({"choices": [{"message": {"content": [{"type": "text", "text": "d"}]}}]}, Delta(text="d")),
        ({"error": "e"}, Delta(error="e")),
        ({"error": {"message": "e", "code": 502}, "choices": []}, Delta(error="e", error_status=502)),
        (
            {"error": {"message": "e", "type": "t", "code": "400"}},
            Delta(error="e (t) (400)", error_status=400),
        ),
        ({"error": {"message": "e", "metadata": {"raw": "why"}}}, Delta(error="e why")),
        ({"object": "error", "message": "e", "code": 404}, Delta(error="e")),
        ({"detail": "e"}, Delta(error="e")),
        ({"error": None, "choices": [{"delta": {"content": "a"}}]}, Delta(text="a")),
    ],
)
def test_forms(said: object, delta: Delta) -> None:
    """Text, reasoning, ends, counts and errors are found where each server puts them."""
    assert parse_delta(json.dumps(said)) == delta


@pytest.mark.parametrize(
    "data", ["", "{", "3", "null", "[]", '"x"', "{}", '{"choices": 3}', '{"choices": [3]}']
)
def test_anything_else_is_refused(data: str) -> None:
    """Nothing is silently dropped that might have been text."""
    with pytest.raises(NotAChatError):
        parse_delta(data)
