"""Writing the page that `--show` makes, and opening it."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ragvl.cli.terminal import can_open_browser, one_line

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["tell_page", "write_page"]

_SLUG_LENGTH = 40


def write_page(html: str, title: str, out: Path | None) -> Path:
    """
    Write a page to `out`, or to a new file in a folder for temporary files that only this user can read.

    Returns:
        Its absolute path.

    Raises:
        OSError: it cannot be written.
    """
    if out is not None:
        out.write_text(html, encoding="utf-8")
        return out.absolute()
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower())[:_SLUG_LENGTH].strip("-") or "page"
    stem = f"{slug}-{time.strftime('%Y%m%d-%H%M%S')}-"
    descriptor, name = tempfile.mkstemp(".html", stem, _private_folder())
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(html)
    return Path(name)


def tell_page(console: Console, page: Path, *, open_it: bool) -> None:
    """Print where the page is; open it where somebody sits before a screen."""
    console.print(f"\nshown in {one_line(str(page))}", style="dim", soft_wrap=True)
    if open_it and can_open_browser():
        import webbrowser

        webbrowser.open(page.as_uri())


def _private_folder() -> Path:
    """Return `ragvl-<user>` among the temporary files; a new folder where that is not this user's own."""
    folder = Path(tempfile.gettempdir()) / f"ragvl-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder if private else Path(tempfile.mkdtemp(prefix="ragvl-"))
