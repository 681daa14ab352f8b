"""How quick the model is on this machine: one prompt read, one answer written."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.prompt.encoder import PromptInputs
from ragvl.generator.nemotron.request import Options
from ragvl.generator.nemotron.session import Session

__all__ = ["Speed", "measure"]

_SENTENCE = "The ferry left the north pier at nine and came back before the tide turned. "


@dataclass(frozen=True, slots=True)
class Speed:
    """
    What was measured, once, after a first run that compiles what there is to compile.

    Attributes:
        loading_s: until the model was on its device; 0 when it was there.
        read_tokens, reading_s: the prompt, up to the first token.
        written_tokens, writing_s: tokens after the first.
    """

    loading_s: float
    read_tokens: int
    reading_s: float
    written_tokens: int
    writing_s: float


def measure(
    session: Session, *, prompt_tokens: int = 4096, answer_tokens: int = 128, most_s: float = 60.0
) -> Speed:
    """
    Read a prompt of text and write an answer that does not stop by itself.

    Args:
        session: is given to nobody else meanwhile.
        prompt_tokens: about so many.
        answer_tokens: that are written.
        most_s: for both runs; when it is over, fewer tokens are written. Loading is not counted.

    Raises:
        RagvlError: the model cannot be loaded.
    """
    began = time.monotonic()
    with session.at_work() as engine:
        loaded = time.monotonic()
        each = session.cost.text_tokens(_SENTENCE)
        room = session.cost.context_tokens - answer_tokens
        count = max(1, min(prompt_tokens, room // 2) // each)
        inputs = session.encoder.encode([_SENTENCE * count], think=False)
        _run(engine, inputs, 4, loaded + most_s)
        reading_s, written, writing_s = _run(engine, inputs, answer_tokens, loaded + most_s)
    return Speed(loaded - began, len(inputs), reading_s, written, writing_s)


def _run(engine: Engine, inputs: PromptInputs, tokens: int, ends_at: float) -> tuple[float, int, float]:
    """Seconds to the first token, tokens after it, seconds for those."""
    began = _now(engine)
    request = engine.start(inputs, Options(max_tokens=tokens))
    try:
        read = _now(engine)
        while request.ending is None and time.monotonic() < ends_at:
            engine.step()
        return read - began, len(request.tokens) - 1, _now(engine) - read
    finally:
        engine.cancel(request)


def _now(engine: Engine) -> float:
    """The moment, once the device has done what it was given."""
    if engine.model.device.type == "cuda":
        torch.cuda.synchronize(engine.model.device)
    return time.monotonic()
