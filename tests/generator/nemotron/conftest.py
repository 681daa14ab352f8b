"""The tiny model as ragvl loads it, and as transformers has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch

import ragvl
from ragvl.generator.nemotron.checkpoint.loading import load_language
from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.language.model import LanguageModel
from ragvl.generator.nemotron.prompt.encoder import PromptInputs
from ragvl.generator.nemotron.session import Session
from ragvl.generator.nemotron.settings import read_config
from ragvl.library import Library
from ragvl.testing import HashEncoder, write_documents
from tests.generator.nemotron.ferries import DOCUMENTS, Opening, Started, settings
from tests.generator.nemotron.tiny import oracle, write_checkpoint
from tests.generator.nemotron.whole import write_whole_checkpoint


@pytest.fixture(scope="package")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny model in the released layout; read only."""
    return write_checkpoint(tmp_path_factory.mktemp("nemotron"))


@pytest.fixture(scope="package")
def model(checkpoint: Path) -> LanguageModel:
    """The tiny model, by ragvl's loader, in float32 on the CPU."""
    return load_language(read_config(checkpoint), "cpu")[0]


@pytest.fixture(scope="package")
def reference() -> Any:
    """The tiny model in transformers."""
    return oracle()


@pytest.fixture(scope="package")
def checkpoint_model_bf16(checkpoint: Path) -> LanguageModel:
    """The tiny model in bfloat16."""
    return load_language(read_config(checkpoint), "cpu", dtype=torch.bfloat16)[0]


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that can be asked, and writes letters without an end; read only."""
    return write_whole_checkpoint(tmp_path_factory.mktemp("talkative"), talkative=True)


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two reports."""
    folder = tmp_path_factory.mktemp("ferries")
    write_documents(folder / "docs", DOCUMENTS)
    with ragvl.open(folder / ".ragvl", encoder=HashEncoder()) as library:
        library.index(folder / "docs")
    return folder / ".ragvl"


@pytest.fixture
def opened(whole: Path, made: Path) -> Iterator[Opening]:
    """Opens the reports with a generator of these settings."""
    with ExitStack() as stack:

        def open_with(device: Mapping[str, Any] | None = None, **changed: Any) -> Library:
            generator = {"name": "nemotron", "nemotron": settings(whole, **changed)}
            overrides = {"generator": generator, "device": dict(device or {"memory_mb": 1024})}
            return stack.enter_context(ragvl.open(made, overrides=overrides, encoder=HashEncoder()))

        yield open_with


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Fills up as prompts reach an engine."""
    seen: Started = []
    start = Session.start

    def noted(self: Session, engine: Engine, inputs: PromptInputs, options: Any) -> Any:
        request, reused = start(self, engine, inputs, options)
        seen.append((inputs, reused))
        return request, reused

    monkeypatch.setattr(Session, "start", noted)
    return seen
