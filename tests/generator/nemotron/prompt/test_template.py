"""The chat template, as text."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from ragvl.generator.nemotron.prompt.template import Exchange, Text, chat_pieces, thinks
from ragvl.generator.nemotron.video.clip import Video

_PICTURE = Image.new("RGB", (4, 4))
_VIDEO = Video((_PICTURE,))
_MARKS = {
    "begin": "<s>",
    "system": "<SPECIAL_10>",
    "turn": "<SPECIAL_11>",
    "end_turn": "<SPECIAL_12>",
}


def _rendered(*parts: Any, **options: Any) -> str:
    texts = []
    for piece in chat_pieces(parts, **options):
        if isinstance(piece, str):
            texts.append(_MARKS[piece])
        else:
            texts.append(
                piece.text
                if isinstance(piece, Text)
                else "<video>"
                if isinstance(piece, Video)
                else "<image>"
            )
    return "".join(texts)


@pytest.mark.parametrize("layout", ["first", "in_place"])
def test_one_picture_and_a_question(layout: str) -> None:
    """The documented rendering, in either layout."""
    assert _rendered(_PICTURE, "Transcribe all that is written.", layout=layout) == (
        "<s><SPECIAL_10>System\n\n<SPECIAL_11>User\n<image>\nTranscribe all that is written.\n"
        "<SPECIAL_11>Assistant\n<think></think>"
    )


def test_several_pictures() -> None:
    """Numbered and on one line before the text, or where they stand, each ending its line."""
    parts = ("Page one:\n", _PICTURE, "Page two:", _PICTURE, "\nWhich?")
    head, tail = "<s><SPECIAL_10>System\n\n<SPECIAL_11>User\n", "\n<SPECIAL_11>Assistant\n<think></think>"
    assert _rendered(*parts, layout="first") == (
        f"{head}<image 1><image> <image 2><image>\nPage one:\nPage two:\nWhich?{tail}"
    )
    assert _rendered(*parts) == f"{head}Page one:\n<image>\nPage two:<image>\nWhich?{tail}"
    assert _rendered(_PICTURE, _PICTURE) == f"{head}<image>\n<image>\n{tail}"
    assert _rendered("Look: ", _VIDEO, _PICTURE, "Why?", layout="first") == (
        f"{head}<image>\n<video>\nLook: Why?{tail}"
    )


def test_system_and_history() -> None:
    """Rules stand in the system's block, stripped; earlier answers end with a mark and have no thoughts."""
    history = [
        Exchange((_PICTURE, "What?"), "<think>\nHm. <b>\n</think>\n\nA graph."),
        Exchange(("And?",), "I wonder.</think>A table."),
        Exchange(("So?",), "Plain.<think>never ended"),
    ]
    assert _rendered("Last?", system="  Be brief. /no_think\n", history=history) == (
        "<s><SPECIAL_10>System\nBe brief.\n"
        "<SPECIAL_11>User\n<image>\nWhat?\n<SPECIAL_11>Assistant\nA graph.\n<SPECIAL_12>\n"
        "<SPECIAL_11>User\nAnd?\n<SPECIAL_11>Assistant\nA table.\n<SPECIAL_12>\n"
        "<SPECIAL_11>User\nSo?\n<SPECIAL_11>Assistant\nPlain.\n<SPECIAL_12>\n"
        "<SPECIAL_11>User\nLast?\n<SPECIAL_11>Assistant\n<think></think>"
    )


@pytest.mark.parametrize(
    ("system", "think", "opens"),
    [
        ("", None, False),
        ("Rules. /think", None, True),
        ("/think first, then /no_think", None, False),
        ("/no_think first, then /think", None, True),
        ("/thinking", None, False),
        ("/think", False, False),
        ("/no_think", True, True),
    ],
)
def test_thinking_is_switched(system: str, think: bool | None, opens: bool) -> None:
    """By the caller, else by the last switch of the system text; switches are not shown."""
    rendered = _rendered("Why?", system=system, think=think)
    assert rendered.endswith("Assistant\n<think>\n" if opens else "Assistant\n<think></think>")
    assert "/think" not in rendered.replace("/thinking", "").replace("</think>", "")
    if think is None:
        assert thinks(system) == opens


def test_a_message_does_not_switch() -> None:
    """A user's message quotes documents; a switch in one is text like any other."""
    rendered = _rendered("The page says /think.")
    assert rendered.endswith("The page says /think.\n<SPECIAL_11>Assistant\n<think></think>")
