"""What the generator holds: weights that share a device, and beginnings of prompts that are not read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ragvl.arbiter import Arbiter
from ragvl.config import NemotronConfig
from ragvl.errors import DeviceMemoryError
from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.generator import NemotronGenerator
from ragvl.generator.nemotron.memory import MemoryPlan, require_room
from ragvl.generator.nemotron.session import open_session
from ragvl.types import Answer
from tests.generator.nemotron.ferries import QUESTION, ROOM, Opening, Started, context_of, make_generator


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_known_beginning_is_not_read_again(
    opened: Opening,
    started: Started,
    whole: Path,
    tmp_path: Path,
    temperature: float,
) -> None:
    """The same pages under another question: the answer is that of a generator that keeps nothing."""
    keeping = make_generator(whole, tmp_path, temperature=temperature)
    forgetful = make_generator(whole, tmp_path, prefix_cache_mb=0, temperature=temperature)
    context = context_of(opened(), keeping)
    assert any(page.image is not None for page in context.pages)
    for question in (QUESTION, "Who is the chief executive?", QUESTION):
        *_, with_it = keeping.stream(context, question, {})
        *_, without = forgetful.stream(context, question, {})
        assert isinstance(with_it, Answer)
        assert isinstance(without, Answer)
        assert with_it.text == without.text
    reused = [tokens for _, tokens in started]
    positions = started[0][0].positions
    assert positions is not None
    last_picture = int(positions[-1])
    assert reused == [0, 0, last_picture + 2, 0, last_picture + 2, 0]


def test_prefixes_stay_within_their_memory(opened: Opening, whole: Path, tmp_path: Path) -> None:
    """Those used longest ago go first; what would not fit is not taken."""
    generator = make_generator(whole, tmp_path, prefix_cache_mb=1)
    context = context_of(opened(), generator)
    for number in range(3):
        relabelled = replace(
            context,
            pages=tuple(replace(page, label=f"a{number}b{i}") for i, page in enumerate(context.pages)),
        )
        list(generator.stream(relabelled, QUESTION, {}))
        assert 0 < generator._session.prefixes.nbytes <= 1 << 20


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(
    opened: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the parts of what it needs, and what would help."""
    monkeypatch.setattr("ragvl.generator.nemotron.resident.load_language", _never)
    with pytest.raises(DeviceMemoryError) as caught:
        opened(device={"memory_mb": 20}, prefix_cache_mb=16).ask(QUESTION)
    told = str(caught.value)
    for words in ("state", "snapshots 16 MiB", "prefix_cache_mb 0", "context_tokens 2048", "20 MiB"):
        assert words in told


def test_what_would_help_most_comes_first() -> None:
    """For the released sizes on a device of 24 GiB: 8 bits, then fewer beginnings, then a shorter context."""
    gib = 1 << 30
    plan = MemoryPlan(23 * gib, 2 * gib, gib, 2 * gib, 2 * gib, 11 * gib)
    require_room(plan, 30 * gib, NemotronConfig())
    with pytest.raises(DeviceMemoryError) as caught:
        require_room(plan, 24 * gib, NemotronConfig())
    told = str(caught.value)
    assert "needs 30.0 GiB" in told
    assert "6.0 GiB less" in told
    order = [told.index(words) for words in ("FP8", "prefix_cache_mb 0", "context_tokens 16384")]
    assert order == sorted(order)


def test_a_known_beginning_gives_the_same_bits(
    opened: Opening, started: Started, whole: Path, tmp_path: Path
) -> None:
    """In 16 bits as well: the model reads the same pieces, whether it found the beginning or not."""
    settings = {"precision": "bfloat16", "temperature": 1.0}
    knowing = make_generator(whole, tmp_path / "a", **settings)
    context = context_of(opened(), knowing)
    list(knowing.stream(context, "Who is the chief executive?", {}))
    fresh = make_generator(whole, tmp_path / "b", **settings)
    *_, known = knowing.stream(context, QUESTION, {})
    *_, read = fresh.stream(context, QUESTION, {})
    assert started[1][1] > 0
    assert started[2][1] == 0
    assert isinstance(known, Answer)
    assert isinstance(read, Answer)
    assert known.text == read.text


def test_memory_that_does_not_last(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told as such, with what can be done; the next question can be asked."""
    library = opened()
    with monkeypatch.context() as patched:

        def runs_out(*_: object, **__: object) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory")

        patched.setattr(Engine, "start", runs_out)
        with pytest.raises(DeviceMemoryError, match="did not last"):
            library.ask(QUESTION)
    assert library.ask(QUESTION).text


def _never(*_: object, **__: object) -> None:
    raise AssertionError("it was loaded")


def test_the_plan_covers_what_is_loaded(whole: Path, tmp_path: Path) -> None:
    """Weights and state are counted from the files' headers: never too low, and not far too high."""
    session = make_generator(whole, tmp_path)._session
    with session.at_work() as engine:
        held: dict[int, int] = {}
        _weigh(engine.model, held)
        assert sum(held.values()) <= session.plan.language <= 1.05 * sum(held.values())
        assert engine._state.nbytes == session.plan.state


def _weigh(part: Any, held: dict[int, int]) -> None:
    if isinstance(part, torch.Tensor):
        held[part.untyped_storage().data_ptr()] = part.untyped_storage().nbytes()
    elif isinstance(part, tuple | list):
        for each in part:
            _weigh(each, held)
    elif hasattr(part, "__dataclass_fields__"):
        for name in part.__dataclass_fields__:
            _weigh(getattr(part, name), held)


@pytest.mark.parametrize("host_bytes", [0, ROOM])
def test_it_leaves_the_device_for_others(
    opened: Opening, whole: Path, tmp_path: Path, host_bytes: int
) -> None:
    """Pushed out by another model, to the host or altogether, it comes back and answers the same."""
    generator = make_generator(whole)
    session = open_session(generator._config, Arbiter(64 << 20, host_bytes), tmp_path)
    generator._opened = session
    context = context_of(opened(), generator)

    def answered() -> str:
        *_, answer = generator.stream(context, QUESTION, {})
        assert isinstance(answer, Answer)
        return answer.text

    before = answered()
    other = _Other((64 << 20) - 1)
    with session._arbiter.using(other):
        places = {held.name: held.place for held in session._arbiter.held()}
        assert places.get(str(whole), "nowhere") == ("host" if host_bytes else "nowhere")
        with pytest.raises(RuntimeError, match="not on its device"):
            _ = session._model.engine
    assert answered() == before
    assert [held.name for held in session._arbiter.held() if held.place == "device"] == [str(whole)]


class _Other:
    """A model that needs nearly all of the device."""

    name = "other"

    def __init__(self, weights_bytes: int) -> None:
        self.weights_bytes = weights_bytes

    def to_device(self) -> None:
        """Nothing to bring."""

    to_host = free = to_device


def test_one_model_for_all_generators_of_a_library(opened: Opening) -> None:
    """A library makes a generator for each question; the checkpoint is opened once."""
    library = opened()
    library.ask(QUESTION)
    first, second = library.generator(), library.generator()
    assert isinstance(first, NemotronGenerator)
    assert isinstance(second, NemotronGenerator)
    assert first is not second
    assert first._session is second._session
