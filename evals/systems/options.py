"""What every system under test is made with: `load("eval_system", name)(options)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ragvl.types import IndexProgress

__all__ = ["SystemOptions"]


@dataclass(frozen=True, slots=True)
class SystemOptions:
    """
    How a system is set up; one that has no use for an option refuses it rather than pass it over.

    Attributes:
        work: folder for indexes and page files, which are kept from run to run.
        profile: a preset of ragvl, or a YAML file.
        settings: laid over the profile, nested; a baseline has settings of its own.
        index: a ready index to search in place of one made from the corpus.
        read: what pages are read from: "files", "images", "text", or "auto" for the first of them that there is.
        progress: called as indexing goes on, by systems that can tell.
    """

    work: Path
    profile: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    index: Path | None = None
    read: str = "auto"
    progress: Callable[[IndexProgress], None] | None = None
