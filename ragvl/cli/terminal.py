"""
Where output goes, and in which shape: results to stdout, the rest to stderr, nothing that could steer the terminal.

What comes from documents passes through `plain` or `one_line` before it is shown.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING

from ragvl.cli.serialise import to_json
from ragvl.markup import clean

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["can_open_browser", "errors", "one_line", "plain", "print_block", "results", "write_json"]

_PIPE_COLUMNS = 100_000  # never break or cut a line that another program reads


def results() -> Console:
    """Open the console on stdout."""
    return _console(stderr=False)


def errors() -> Console:
    """Open the console on stderr, for progress, logs and errors."""
    return _console(stderr=True)


def plain(text: str) -> str:
    """Drop what could steer a terminal or turn the direction of text; line ends and tabs stay."""
    return clean(text)


def one_line(text: str) -> str:
    """Put text on one line, made harmless as by `plain`."""
    return " ".join(clean(text).split())


def print_block(console: Console, block: RenderableType) -> None:
    """Print a table or an indented text; into a pipe without the blanks that fill its lines."""
    if console.is_terminal:
        console.print(block)
        return
    with console.capture() as captured:
        console.print(block)
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def write_json(value: object) -> None:
    """Write the one JSON document of a command to stdout, in ASCII, so that it is harmless on any terminal."""
    sys.stdout.write(json.dumps(to_json(value), indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()


def can_open_browser() -> bool:
    """Whether somebody sits before a screen of this machine and looks at stdout."""
    if not sys.stdout.isatty() or os.environ.get("CI") or os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows "?" instead of failing
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _PIPE_COLUMNS
    return console
