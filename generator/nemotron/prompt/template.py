"""
The chat template: where turns begin and end, and where pictures stand.

    <s><SPECIAL_10>System
    {rules}
    <SPECIAL_11>User
    {pictures and text}
    <SPECIAL_11>Assistant
    <think></think>

The system's block is there even when it is empty, thoughts of earlier answers are left out, and an answer ends with
<SPECIAL_12>. `<think>` is text, no special token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ragvl.generator.endpoint.thoughts import ThoughtFilter
from ragvl.generator.nemotron.video.clip import Video
from ragvl.generator.nemotron.vision.images import Picture

__all__ = ["Exchange", "Layout", "Mark", "Part", "Piece", "Text", "chat_pieces", "thinks"]

Part = str | Picture | Video
"""What a user's message is made of."""

Mark = Literal["begin", "system", "turn", "end_turn"]
"""A special token, by its name in `Markers`."""

Layout = Literal["in_place", "first"]
"""Where pictures stand: "in_place" where they are among the text, "first" before it, as the released template has them."""

_SWITCH = re.compile(r"/(no_)?think\b")


@dataclass(frozen=True, slots=True)
class Text:
    """
    Text of a prompt.

    Attributes:
        text: as it is.
        own: written by ragvl alone, so that it may hold what the tokenizer takes for a special token.
    """

    text: str
    own: bool = False


Piece = Mark | Text | Picture | Video


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier message of the user in the same conversation, and what was answered."""

    parts: tuple[Part, ...]
    answer: str


def thinks(system: str) -> bool:
    """Whether a system text asks for thoughts: the last of `/think` and `/no_think` in it counts; without any, no."""
    switches = _SWITCH.findall(system)
    return bool(switches) and not switches[-1]


def chat_pieces(
    parts: Sequence[Part],
    *,
    system: str = "",
    history: Sequence[Exchange] = (),
    think: bool | None = None,
    layout: Layout = "in_place",
) -> Iterator[Piece]:
    """
    Put a conversation into the template.

    Args:
        parts: of the user's last message.
        system: the rules; `/think` and `/no_think` are taken out of it.
        history: earlier turns, oldest first.
        think: begin with a thought; None for what the system text says. What stands in a user's message never
            switches, as documents are quoted there.
        layout: where pictures stand.
    """
    yield "begin"
    yield "system"
    yield Text(f"System\n{_SWITCH.sub('', system).strip()}\n")
    for exchange in history:
        yield from _user(exchange.parts, layout)
        yield "turn"
        yield Text(f"Assistant\n{_without_thought(exchange.answer)}\n")
        yield "end_turn"
        yield Text("\n")
    yield from _user(parts, layout)
    yield "turn"
    opens = thinks(system) if think is None else think
    yield Text("Assistant\n<think>\n" if opens else "Assistant\n<think></think>", own=True)


def _user(parts: Sequence[Part], layout: Layout) -> Iterator[Piece]:
    yield "turn"
    yield Text("User\n")
    yield from _first(parts) if layout == "first" else _in_place(parts)
    yield Text("\n")


def _first(parts: Sequence[Part]) -> Iterator[Piece]:
    pictures = [part for part in parts if not isinstance(part, str | Video)]
    for number, picture in enumerate(pictures, start=1):
        if len(pictures) > 1:
            yield Text(f"{' ' if number > 1 else ''}<image {number}>")
        yield picture
    if pictures:
        yield Text("\n")
    for part in parts:
        if isinstance(part, Video):
            yield part
            yield Text("\n")
    yield from (Text(part) for part in parts if isinstance(part, str))


def _in_place(parts: Sequence[Part]) -> Iterator[Piece]:
    """A line ends behind each picture, as it does in the released template with one picture."""
    for index, part in enumerate(parts):
        if isinstance(part, str):
            yield Text(part)
            continue
        yield part
        behind = parts[index + 1] if index + 1 < len(parts) else ""
        if not (isinstance(behind, str) and behind.startswith("\n")):
            yield Text("\n")


def _without_thought(answer: str) -> str:
    thoughts = ThoughtFilter(may_open_inside=True)
    return (thoughts.feed(answer).answer + thoughts.finish(cut=False).answer).strip()
