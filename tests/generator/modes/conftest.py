"""A tiny library, and a writer whose words are scripted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import ragvl
from ragvl.generator.endpoint.cost import text_tokens
from ragvl.generator.grounding.prompt import prompt_parts
from ragvl.generator.grounding.stream import GroundedStream
from ragvl.library import Library
from ragvl.testing import HashEncoder, write_documents
from ragvl.types import Answer, Context, PageImage, TextDelta

_FRAME = re.compile(r'<page label="(\w{4})" from="([^"]*), page (\d+)">\n(.*?)</page>', re.DOTALL)
ANSWER_TOKENS = 200
DOCUMENTS = {
    "otter.pdf": [
        "Annual report 2018 of Otter Ferries\nThe chief executive is Ada Lindqvist.",
        "Fleet\nOtter Ferries carried 1,204,500 passengers in 2018.\nThe fleet grew from five to seven ships.",
        "Result\nThe company lost money: the net result was -42 million crowns.",
    ],
    "heron.pdf": [
        "Annual report 2018 of Heron Ferries\nThe chief executive is Bo Nyman.",
        "Fleet\nHeron Ferries carried 980,000 passengers in 2018.\nThe fleet stayed at nine ships.",
    ],
}


@dataclass(frozen=True)
class Shown:
    """A request as the writer got it."""

    system: str
    text: str
    schema: Mapping[str, Any] | None
    tokens: int

    def label(self, words: str) -> str:
        """The label of the page that has these words."""
        return next(label for label, _, _, text in _FRAME.findall(self.text) if words in text)

    @property
    def pages(self) -> list[tuple[str, str, int]]:
        """Label, document and number of each page shown."""
        return [(label, name, int(number)) for label, name, number, _ in _FRAME.findall(self.text)]


Reply = Callable[[Shown], str] | str


class PlainCost:
    """Counts as the endpoint does, and sees no pictures."""

    sees_images = False

    def __init__(self, context_tokens: int) -> None:
        self.context_tokens = context_tokens

    def text_tokens(self, text: str) -> int:
        return text_tokens(text)

    def image_tokens(self, width_px: int, height_px: int) -> int:
        raise AssertionError("it sees no pictures")


@dataclass
class ScriptedWriter:
    """Writes what its script says, one reply a request, the last one from then on; never shown more than it holds."""

    replies: list[Reply]
    context_tokens: int = 8000
    name: str = "scripted"
    requests: list[Shown] = field(default_factory=list)
    asked: list[tuple[Context, str, Mapping[str, object]]] = field(default_factory=list)

    @property
    def cost(self) -> PlainCost:
        return PlainCost(self.context_tokens)

    def page_tokens(self, question: str) -> int:
        return max(0, self.context_tokens - ANSWER_TOKENS - text_tokens(question) - 50)

    def write(
        self,
        system: str,
        parts: Sequence[str | PageImage],
        *,
        schema: Mapping[str, object] | None = None,
        max_tokens: int | None = None,
    ) -> Iterator[str]:
        text = "".join(part for part in parts if isinstance(part, str))
        shown = Shown(system, text, schema, text_tokens(system) + text_tokens(text))
        assert shown.tokens + min(max_tokens or ANSWER_TOKENS, ANSWER_TOKENS) <= self.context_tokens
        self.requests.append(shown)
        yield from self._words(shown)

    def stream(
        self, context: Context, question: str, options: Mapping[str, object]
    ) -> Iterator[TextDelta | Answer]:
        self.asked.append((context, question, options))
        prompt = prompt_parts(context, question, options.get("history", ()))  # type: ignore[arg-type]
        text = "".join(part for part in prompt.parts if isinstance(part, str))
        shown = Shown(prompt.system, text, None, text_tokens(prompt.system) + text_tokens(text))
        grounded = GroundedStream(context, question, self.name)
        grounded.feed("".join(self._words(shown)))
        answer = grounded.finish()
        yield TextDelta(answer.text)
        yield replace(answer, generator=self.name)

    def _words(self, shown: Shown) -> Iterator[str]:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        text = reply if isinstance(reply, str) else reply(shown)
        yield from (text[start : start + 7] for start in range(0, len(text), 7))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of two reports."""
    folder = tmp_path_factory.mktemp("modes")
    write_documents(folder / "docs", DOCUMENTS)
    with ragvl.open(folder / ".ragvl", encoder=HashEncoder()) as library:
        library.index(folder / "docs")
    return folder / ".ragvl"


@pytest.fixture
def library(made: Path) -> Iterator[Library]:
    """The two reports, with the extractive answerer."""
    with ragvl.open(made, encoder=HashEncoder()) as opened:
        yield opened


@pytest.fixture
def scripted(library: Library, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ScriptedWriter]:
    """Put a writer with these replies into the library."""

    def put(*replies: Reply, context_tokens: int = 8000) -> ScriptedWriter:
        writer = ScriptedWriter(list(replies), context_tokens)
        monkeypatch.setattr(library, "generator", lambda: writer)
        return writer

    return put
