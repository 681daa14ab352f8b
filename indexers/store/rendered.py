"""
Drawn pages, kept so that they need not be drawn again: named by their own content, capped in size.

A file is called `<document sha256>-<page>-<dpi>-<sha256 of the image>.webp`; an image whose bytes do not match
its name is never shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ragvl.errors import IndexWriteError
from ragvl.indexers.store.files import PART_SUFFIX, write_durably
from ragvl.types import Damage

FOLDER = "pages"
_CAP_BYTES = 512 << 20


def load_rendered(folder: Path, document_sha256: str, page_number: int, dpi: int) -> bytes | None:
    """The image of a page as it was drawn before, or None."""
    for path in (folder / FOLDER).glob(f"{document_sha256}-{page_number}-{dpi}-*.webp"):
        with suppress(OSError):
            content = path.read_bytes()
            if _digest(path) == hashlib.sha256(content).hexdigest():
                return content
    return None


def keep_rendered(folder: Path, document_sha256: str, page_number: int, dpi: int, image: bytes) -> None:
    """Keep the image of a page; a disk that refuses it costs only the drawing of it another time."""
    digest = hashlib.sha256(image).hexdigest()
    path = folder / FOLDER / f"{document_sha256}-{page_number}-{dpi}-{digest}.webp"
    with suppress(IndexWriteError, OSError):
        write_durably(path, [image])
        _trim(folder / FOLDER)


def sweep_rendered(folder: Path) -> None:
    """Remove what processes left behind that died while they kept an image."""
    for path in (folder / FOLDER).glob(f"*{PART_SUFFIX}"):
        path.unlink(missing_ok=True)


def check_rendered(folder: Path) -> Iterator[Damage]:
    """Compare every kept image with its name."""
    for path in sorted((folder / FOLDER).glob("*")):
        if path.name.endswith(PART_SUFFIX):
            continue
        try:
            sound = hashlib.sha256(path.read_bytes()).hexdigest() == _digest(path)
        except FileNotFoundError:
            continue  # dropped meanwhile, to make room
        except OSError as error:
            yield Damage(f"{FOLDER}/{path.name}", f"cannot be read: {error.strerror}")
            continue
        if not sound:
            yield Damage(
                f"{FOLDER}/{path.name}", "does not match its checksum; it is drawn again when needed"
            )


def _digest(path: Path) -> str:
    return path.stem.rpartition("-")[2]


def _trim(folder: Path) -> None:
    """Drop the images written first until the rest fits under the cap."""
    kept = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in folder.glob("*.webp"))
    excess_bytes = sum(size for _, size, _ in kept) - _CAP_BYTES
    for _, size, path in kept:
        if excess_bytes <= 0:
            return
        excess_bytes -= size
        path.unlink(missing_ok=True)
