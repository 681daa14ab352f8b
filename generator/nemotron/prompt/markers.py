"""The special tokens of a prompt, found by what they are called."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ragvl.generator.nemotron.prompt.tokenizer import PromptTokenizer

__all__ = ["Markers", "find_markers"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Markers:
    """
    Ids of special tokens.

    Attributes:
        begin: before everything.
        system, turn: before the system's block, and before each turn of user or assistant.
        end_turn: behind an answer.
        image_start, image, image_end: around the features of a picture, and in the place of each.
        stop: tokens that end an answer.
    """

    begin: int
    system: int
    turn: int
    end_turn: int
    image_start: int
    image: int
    image_end: int
    stop: frozenset[int]


def find_markers(
    tokenizer: PromptTokenizer, config: Mapping[str, Any], stop_ids: tuple[int, ...] = ()
) -> Markers:
    """
    Find the special tokens.

    Args:
        tokenizer: of the checkpoint.
        config: `config.json`, which may call the picture's tokens by other names.
        stop_ids: that the checkpoint's configuration names; the template's are added.

    Raises:
        ModelFileError: the tokenizer lacks one.
    """
    image = tokenizer.marker(config.get("img_context_token") or "<image>")
    said = config.get("img_context_token_id")
    if said is not None and said != image:
        logger.warning(
            "config.json says that a picture's token is %s, the tokenizer %s, which counts", said, image
        )
    end_turn = tokenizer.marker("<SPECIAL_12>")
    return Markers(
        begin=tokenizer.marker("<s>"),
        system=tokenizer.marker("<SPECIAL_10>"),
        turn=tokenizer.marker("<SPECIAL_11>"),
        end_turn=end_turn,
        image_start=tokenizer.marker(config.get("img_start_token") or "<img>"),
        image=image,
        image_end=tokenizer.marker(config.get("img_end_token") or "</img>"),
        stop=frozenset({end_turn, tokenizer.marker("</s>"), *stop_ids}),
    )
