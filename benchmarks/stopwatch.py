"""Times the parts of a call without touching the code: methods are wrapped for the length of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

__all__ = ["Stopwatch"]


class Stopwatch:
    """
    Adds up seconds by part; nested parts count in both.

    Attributes:
        spent_s: since the last `reset`.
    """

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = {}

    def reset(self) -> None:
        """Begin a new call."""
        self.spent_s = {}

    def watch(self, owner: Any, method: str, part: str) -> None:
        """Time a method of a class or of one object from now on."""
        setattr(owner, method, self._timed(getattr(owner, method), part))

    def _timed(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.spent_s[part] = self.spent_s.get(part, 0.0) + time.perf_counter() - started

        return timed
