"""What generators with a model share: the options of one call, the times of one answer, and its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ragvl.generator.grounding.prompt import Turn
from ragvl.generator.grounding.stream import GroundedStream
from ragvl.types import Answer, TextDelta

__all__ = ["AnswerClock", "finished", "settled"]

_OPTIONS = ("history", "max_answer_tokens", "temperature", "thinking")
_Config = TypeVar("_Config", bound=BaseModel)


@dataclass(slots=True)
class AnswerClock:
    """When an answer began, and its first token came; seconds by `time.monotonic`."""

    started_at: float = field(default_factory=time.monotonic)
    first_token_at: float | None = None
    first_text_at: float | None = None

    def see_text(self) -> None:
        """Text is shown now."""
        self.first_text_at = self.first_text_at or time.monotonic()

    def timings_s(self) -> dict[str, float]:
        """Seconds from the question to the first token, to the first one shown, and to the end."""
        moments = {
            "first_token": self.first_token_at,
            "first_text": self.first_text_at,
            "generate": time.monotonic(),
        }
        return {name: moment - self.started_at for name, moment in moments.items() if moment is not None}


def settled(config: _Config, options: Mapping[str, object], generator: str) -> tuple[_Config, Sequence[Turn]]:
    """
    Lay the options of one call over a generator's configuration.

    Args:
        config: with `temperature`, `max_answer_tokens` and `thinking.mode`.
        options: `temperature`, `max_answer_tokens`, `thinking` (a mode), and `history`, the `Turn`s before.
        generator: its name, for the message.

    Raises:
        ValueError: an unknown option, or a value out of range.
    """
    unknown = options.keys() - set(_OPTIONS)
    if unknown:
        raise ValueError(
            f"unknown option {min(unknown)!r} for the {generator} generator; known: {', '.join(_OPTIONS)}"
        )
    history = options.get("history", ())
    if not isinstance(history, Sequence) or not all(isinstance(turn, Turn) for turn in history):
        raise ValueError(f"history must be a sequence of Turn, not {history!r}")
    changed = config.model_dump()
    for name in ("temperature", "max_answer_tokens"):
        if name in options:
            changed[name] = options[name]
    if "thinking" in options:
        changed["thinking"]["mode"] = options["thinking"]
    try:
        return type(config).model_validate(changed), history
    except ValidationError as error:
        first = error.errors()[0]
        where = f"option {first['loc'][0]!r}" if first["loc"] else "options"
        raise ValueError(f"{where}: {first['msg']}, not {first['input']!r}") from None


def finished(
    grounded: GroundedStream, usage: Mapping[str, int], clock: AnswerClock
) -> Iterator[TextDelta | Answer]:
    """Yield what was held back, then the answer."""
    rest = grounded.rest()
    if rest:
        clock.see_text()
        yield TextDelta(rest)
    answer = grounded.finish(usage, clock.timings_s())
    if answer.refused:
        yield TextDelta(answer.text)
    yield answer
