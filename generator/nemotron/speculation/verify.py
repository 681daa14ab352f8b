"""Checks guessed tokens in one pass, and takes in those that are right."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ragvl.generator.nemotron.language.layer import Trace
from ragvl.generator.nemotron.language.model import LanguageModel
from ragvl.generator.nemotron.state import State

__all__ = ["Verified", "verify"]


class Verified:
    """
    What the model says after a token and after each guess; the state has not moved.

    Attributes:
        tokens: the likeliest tokens: one for each right guess, and one more that the model chose itself.
        accepted: how many guesses were right.
    """

    def __init__(self, model: LanguageModel, state: State, trace: Trace, tokens: list[int]) -> None:
        self.tokens = tokens
        self.accepted = len(tokens) - 1
        self._model, self._state, self._trace = model, state, trace

    def take_in(self, count: int) -> None:
        """Move the state on past the token and the first `count - 1` guesses."""
        self._model.take_in(self._trace, count, self._state)


def verify(model: LanguageModel, state: State, start: int, token: int, guess: Sequence[int]) -> Verified:
    """
    Read a token and a guess of how it goes on.

    In float32 the tokens are those of one step after the other; in 16 bits two logits that are as good as equal may
    change places, as with any change of batch.

    Args:
        model: that answers.
        state: of one slot.
        start: tokens that the slot has read.
        token: drawn last, not read yet.
        guess: what may follow it.
    """
    trace = Trace(start)
    ids = torch.tensor([[token, *guess]], device=model.device)
    logits = model.prefill(model.embed(ids), state, start, keep=ids.shape[1], trace=trace)
    chosen: list[int] = logits[0].argmax(-1).tolist()
    right = 0
    while right < len(guess) and guess[right] == chosen[right]:
        right += 1
    return Verified(model, state, trace, chosen[: right + 1])
