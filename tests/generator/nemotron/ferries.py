"""A few pages about ferries, and generators of a tiny checkpoint that are asked about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ragvl.arbiter import Arbiter
from ragvl.config import GeneratorConfig, NemotronConfig
from ragvl.generator.nemotron.generator import NemotronGenerator
from ragvl.generator.nemotron.prompt.encoder import PromptInputs
from ragvl.library import Library
from ragvl.retrievers.context import context_for
from ragvl.testing import HashEncoder
from ragvl.types import Context

DOCUMENTS = {
    "otter.pdf": [
        "Annual report 2018 of Otter Ferries\nThe chief executive is Ada Lindqvist.",
        "Fleet\nOtter Ferries carried 1,204,500 passengers in 2018.\nThe fleet grew to seven ships.",
    ],
    "heron.pdf": ["Fleet\nHeron Ferries carried 980,000 passengers in 2018."],
}
QUESTION = "How many passengers did Otter Ferries carry in 2018?"
ROOM = 1 << 30

Opening = Callable[..., Library]
"""Opens the library with a generator of these settings; `device` are those of the device."""

Started = list[tuple[PromptInputs, int]]
"""Prompts that reached an engine, and how many of their tokens were not read again."""


def settings(whole: Path, **changed: Any) -> dict[str, Any]:
    """Settings for the checkpoint, small enough for a test."""
    return {
        "model": str(whole),
        "device": "cpu",
        "context_tokens": 4096,
        "max_answer_tokens": 24,
        "page_cache_mb": 8,
        "prefix_cache_mb": 8,
        **changed,
    }


def make_generator(whole: Path, folder: Path | None = None, **changed: Any) -> NemotronGenerator:
    """A generator outside of a library, which shares its device where a folder is given."""
    config = GeneratorConfig(nemotron=NemotronConfig(**settings(whole, **changed)))
    generator = NemotronGenerator(config, HashEncoder())
    if folder is not None:
        generator.share(Arbiter(ROOM), folder)
    return generator


def context_of(library: Library, generator: NemotronGenerator, question: str = QUESTION) -> Context:
    """What the library would show of its best pages."""
    with library._desk.snapshot() as snapshot:
        return context_for(generator, snapshot, question, library.search(question), 3, library._desk.draw)
