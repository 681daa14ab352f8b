"""Pieces of a prompt become tokens; every feature of a picture takes the place of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from ragvl.generator.nemotron.prompt.markers import Markers
from ragvl.generator.nemotron.prompt.template import Mark, Text
from ragvl.generator.nemotron.prompt.tokenizer import PromptTokenizer

__all__ = ["Assembled", "Boundary", "Placeholder", "assemble"]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """
    Where features of a picture come.

    Attributes:
        count: of features; 0 for a frame whose tokens were all dropped.
        key: tells the features apart from others.
    """

    count: int
    key: str


@dataclass(frozen=True, slots=True)
class Boundary:
    """
    A place where prompts may part: the tokens before it do not depend on what comes behind it.

    Attributes:
        tokens: before it.
        key: hexadecimal; prompts that share it have the same tokens and features before it.
    """

    tokens: int
    key: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """
    A prompt's tokens.

    Attributes:
        ids: of all.
        positions: of those that stand for features, in order.
        boundaries: from the beginning to the end.
    """

    ids: tuple[int, ...]
    positions: tuple[int, ...]
    boundaries: tuple[Boundary, ...]


def assemble(
    pieces: Iterable[Mark | Text | Placeholder], tokenizer: PromptTokenizer, markers: Markers
) -> Assembled:
    """Tokenise pieces; texts that follow one another are tokenised as one text."""
    ids: list[int] = []
    positions: list[int] = []
    boundaries: list[Boundary] = []
    running = hashlib.sha256()
    for piece in _joined(pieces):
        if isinstance(piece, Placeholder):
            first = len(ids) + 1
            new = [markers.image_start, *[markers.image] * piece.count, markers.image_end]
            positions += range(first, first + piece.count)
            running.update(f"[{piece.key}]".encode())
        elif isinstance(piece, Text):
            new = tokenizer.encode_own(piece.text) if piece.own else tokenizer.encode(piece.text)
        else:
            new = [getattr(markers, piece)]
        ids += new
        running.update(",".join(map(str, new)).encode() + b";")
        boundaries.append(Boundary(len(ids), running.hexdigest()))
    return Assembled(tuple(ids), tuple(positions), tuple(boundaries))


def _joined(pieces: Iterable[Mark | Text | Placeholder]) -> list[Mark | Text | Placeholder]:
    joined: list[Mark | Text | Placeholder] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, Text) and isinstance(last, Text):
            joined[-1] = Text(last.text + piece.text, last.own and piece.own)
        elif piece != Text("") and piece != Text("", own=True):
            joined.append(piece)
    return joined
