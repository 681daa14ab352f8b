"""The body of a request: messages with pictures as data URLs, limits, and whether to think."""

from __future__ import annotations

import base64
from typing import Any

from ragvl.config import EndpointConfig, ThinkingConfig
from ragvl.generator.grounding.prompt import Prompt
from ragvl.types import PageImage


def request_body(config: EndpointConfig, model: str, prompt: Prompt) -> dict[str, Any]:
    """
    Build the body of a request for a completion.

    Args:
        config: `thinking.mode` as it shall be for this request.
        model: as the server names it.
        prompt: what the model is told and shown; pictures are left out for a model that sees none.

    Returns:
        What is sent as JSON.
    """
    thinking = config.thinking
    limit = config.max_answer_tokens + (0 if thinking.mode == "off" else thinking.budget_tokens)
    body: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": "system", "content": _system(prompt.system, thinking)},
            {"role": "user", "content": _content(config, prompt)},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        config.answer_limit_field: limit,
    }
    if config.temperature is not None:
        body["temperature"] = config.temperature
    body |= _switch(thinking)
    body |= config.extra
    return {name: value for name, value in body.items() if value is not None}


def _system(rules: str, thinking: ThinkingConfig) -> str:
    if thinking.mode == "auto" or thinking.switch != "system":
        return rules
    return f"{rules}\n\n{'/think' if thinking.mode == 'on' else '/no_think'}"


def _switch(thinking: ThinkingConfig) -> dict[str, Any]:
    if thinking.mode == "auto" or thinking.switch == "system":
        return {}
    if thinking.switch == "template":
        return {"chat_template_kwargs": {"enable_thinking": thinking.mode == "on"}}
    return {"reasoning_effort": thinking.effort if thinking.mode == "on" else "none"}


def _content(config: EndpointConfig, prompt: Prompt) -> str | list[dict[str, Any]]:
    texts = [part for part in prompt.parts if isinstance(part, str)]
    if not config.sees_images or len(texts) == len(prompt.parts):
        return "".join(texts)  # every server takes a plain string
    return [
        {"type": "text", "text": part} if isinstance(part, str) else _image(part, config)
        for part in prompt.parts
    ]


def _image(image: PageImage, config: EndpointConfig) -> dict[str, Any]:
    url = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode('ascii')}"
    detail = {"detail": config.image_cost.detail} if config.image_cost.formula == "openai" else {}
    return {"type": "image_url", "image_url": {"url": url, **detail}}
