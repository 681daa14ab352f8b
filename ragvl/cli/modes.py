"""What the commands beside `ask` share: a line while they wait, and places as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ragvl.cli.terminal import errors, one_line

if TYPE_CHECKING:
    from ragvl.types import Citation

__all__ = ["place", "waiting"]

Made = TypeVar("Made")


def waiting(make: Callable[[], Made], doing: str) -> Made:
    """Make something while the terminal says what is going on."""
    with errors().status(doing):
        return make()


def place(citation: Citation) -> str:
    """Where a citation points, on one line."""
    return f"{one_line(citation.document.path)}, page {citation.page_number}"
