"""Opening the library that a command works on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ragvl.library import Library

__all__ = ["open_library"]


def open_library(
    index: Path | None, profile: str | None = None, settings: Mapping[str, Any] | None = None
) -> Library:
    """Open the index that was named, or is found from here, with settings laid over its profile."""
    import ragvl

    return ragvl.open(index, profile, overrides=settings or {})
