"""A request to the engine: what is asked, and how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ragvl.generator.nemotron.inputs import Inputs
from ragvl.generator.nemotron.sampling import GREEDY, Sampler, Sampling
from ragvl.generator.nemotron.snapshot import Snapshot

__all__ = ["Drafter", "Ending", "Options", "Request"]

Ending = Literal["stop", "length", "cancelled"]


class Drafter(Protocol):
    """Guesses how a text goes on."""

    def propose(self, tokens: Sequence[int]) -> Sequence[int]:
        """Guess the tokens that follow; none when there is no good guess."""


@dataclass(frozen=True, slots=True)
class Options:
    """
    How a request is answered.

    Attributes:
        max_tokens: the answer's limit.
        stop_ids: tokens that end it; the one that does is its last.
        sampling: how tokens are drawn.
        drafter: guesses that are checked several at a time, while no other request is under way; only for greedy
            answers, which they do not change.
        keep_end: take a snapshot when the answer ends, for a next turn that begins with prompt and answer.

    Raises:
        ValueError: a limit below 1, or a drafter with a temperature.
    """

    max_tokens: int
    stop_ids: frozenset[int] = frozenset()
    sampling: Sampling = GREEDY
    drafter: Drafter | None = None
    keep_end: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}")
        if self.drafter is not None and self.sampling.temperature > 0:
            raise ValueError("a drafter needs temperature 0: a drawn token cannot be checked against a guess")


@dataclass(slots=True, eq=False)
class Request:
    """
    A request under way, or ended.

    Attributes:
        inputs: the prompt.
        options: how it is answered.
        sampler: draws its tokens.
        slot: of the state.
        read: tokens that the model has read: the prompt and the answer but for its last token.
        tokens: the answer so far.
        ending: why it ended; None while it is under way.
        snapshots: taken while the prompt was read and at the end, by the number of tokens.
        checked: guessed tokens that were checked.
        accepted: guessed tokens that were right.
    """

    inputs: Inputs
    options: Options
    sampler: Sampler
    slot: int
    read: int = 0
    tokens: list[int] = field(default_factory=list)
    ending: Ending | None = None
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    checked: int = 0
    accepted: int = 0

    @property
    def room(self) -> int:
        """Tokens that the answer may still take."""
        return self.options.max_tokens - len(self.tokens)

    def add(self, tokens: Sequence[int]) -> int:
        """Lengthen the answer up to a stop or its limit; returns how many of the tokens were taken."""
        for count, token in enumerate(tokens, start=1):
            self.tokens.append(token)
            if token in self.options.stop_ids:
                self.ending = "stop"
            elif not self.room:
                self.ending = "length"
            if self.ending:
                return count
        return len(tokens)
