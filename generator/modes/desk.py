"""What the modes are given of a library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ragvl.errors import ConfigError
from ragvl.indexers.store.reader import Snapshot
from ragvl.protocols import Generator, Writer
from ragvl.types import Hit

Where = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Desk:
    """
    A library as the modes see it.

    Attributes:
        generator: makes the generator that the profile names.
        snapshot: opens one committed state of the index.
        search: query, number of pages and filter to hits, best first.
        draw: a page as an encoded image; None when it cannot be drawn.
        pages: how many pages of a search a question is answered from.
        refuse_below: support under which an answer is refused, configured or calibrated; None for neither.
    """

    generator: Callable[[], Generator]
    snapshot: Callable[[], AbstractContextManager[Snapshot]]
    search: Callable[[str, int, Where], list[Hit]]
    draw: Callable[[Hit], bytes | None]
    pages: int
    refuse_below: float | None = None

    def writer(self, mode: str) -> Writer:
        """
        The generator, for a mode that needs one that writes.

        Args:
            mode: what it is needed for, a verb such as "extract".

        Raises:
            ConfigError: the profile's generator only quotes.
        """
        generator = self.generator()
        if isinstance(generator, Writer):
            return generator
        raise ConfigError(
            f"the generator {generator.name!r} only quotes pages and cannot {mode}; that needs a model that writes. "
            "Copy configs/endpoint.yaml, set its base_url and model, and name the copy with --profile."
        )
