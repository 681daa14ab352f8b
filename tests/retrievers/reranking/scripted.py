"""A reranker that scores by a script, and a clock that is told the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Clock", "ScriptedReranker"]


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class ScriptedReranker:
    """
    Scores what it is shown by a function of text and image.

    Attributes:
        batches: what it was shown, in order.
        prepared: how often it was told to prepare.
    """

    def __init__(self, script: Callable[[str, Image | None], float]) -> None:
        self._script = script
        self.batches: list[list[tuple[str, Image | None]]] = []
        self.prepared = 0

    def prepare(self) -> None:
        """Count the calls."""
        self.prepared += 1

    def score(self, query: str, documents: Sequence[tuple[str, Image | None]]) -> list[float]:
        """Score as the script says."""
        self.batches.append(list(documents))
        return [self._script(text, image) for text, image in documents]
