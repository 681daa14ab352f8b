"""What is sent."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ragvl.config import EndpointConfig
from ragvl.generator.endpoint.payload import request_body
from ragvl.generator.grounding.prompt import Prompt
from ragvl.types import PageImage
from tests.generator.endpoint.fake_server import PNG

_IMAGE = PageImage(PNG, "image/png", 640, 480)
_PROMPT = Prompt("The rules.", ("Page k7f2:", _IMAGE, "its text", "Question: how much?"))


def _body(prompt: Prompt = _PROMPT, **settings: Any) -> dict[str, Any]:
    return request_body(EndpointConfig.model_validate(settings), "m", prompt)


def test_pictures_stand_where_the_prompt_has_them() -> None:
    """Label, picture and text of a page stay together, and the picture's bytes arrive."""
    system, user = _body()["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert [part["type"] for part in user["content"]] == ["text", "image_url", "text", "text"]
    kind, _, data = user["content"][1]["image_url"]["url"].partition(",")
    assert (kind, base64.b64decode(data)) == ("data:image/png;base64", PNG)
    assert user["content"][0]["text"] == "Page k7f2:"


def test_a_text_only_model_gets_text_only() -> None:
    """Also when nothing but text was there to send; a plain string is understood by every server."""
    words = "Page k7f2:its textQuestion: how much?"
    assert _body(sees_images=False)["messages"][1]["content"] == words
    assert _body(Prompt("r", ("a", "b")))["messages"][1]["content"] == "ab"


def test_detail_is_sent_where_it_is_understood() -> None:
    """Only a server that counts by it is told."""
    assert "detail" not in _body()["messages"][1]["content"][1]["image_url"]
    low = _body(image_cost={"formula": "openai", "detail": "low"})
    assert low["messages"][1]["content"][1]["image_url"]["detail"] == "low"


@pytest.mark.parametrize(
    ("mode", "switch", "system", "fields", "limit"),
    [
        ("off", "system", "The rules.\n\n/no_think", {}, 1024),
        ("on", "system", "The rules.\n\n/think", {}, 1024 + 4096),
        ("auto", "system", "The rules.", {}, 1024 + 4096),
        ("off", "template", "The rules.", {"chat_template_kwargs": {"enable_thinking": False}}, 1024),
        ("on", "template", "The rules.", {"chat_template_kwargs": {"enable_thinking": True}}, 1024 + 4096),
        ("off", "effort", "The rules.", {"reasoning_effort": "none"}, 1024),
        ("on", "effort", "The rules.", {"reasoning_effort": "medium"}, 1024 + 4096),
        ("auto", "effort", "The rules.", {}, 1024 + 4096),
    ],
)
def test_thinking(mode: str, switch: str, system: str, fields: dict[str, Any], limit: int) -> None:
    """Each server is told in its own way, and thoughts have room of their own."""
    body = _body(thinking={"mode": mode, "switch": switch})
    assert body["messages"][0]["content"] == system
    known = {"model", "messages", "stream", "stream_options", "temperature", "max_tokens"}
    assert {name: body[name] for name in body.keys() - known} == fields
    assert body["max_tokens"] == limit


def test_extra_fields_are_added_and_taken_away() -> None:
    """Null leaves a field of ours out; without a temperature the server's own counts."""
    body = _body(
        extra={"top_p": 0.9, "stream_options": None},
        temperature=None,
        answer_limit_field="max_completion_tokens",
    )
    assert body["top_p"] == 0.9
    assert body["max_completion_tokens"] == 1024
    assert not {"stream_options", "temperature", "max_tokens"} & body.keys()
