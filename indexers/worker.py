"""The tasks of a reading process. It holds one open document and, once a page needed it, the OCR networks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ragvl.config import PassageConfig, ReadingConfig
from ragvl.indexers.page_ocr import PageOcr
from ragvl.indexers.processes import (
    be_silent,
    end_with_parent,
    limit_memory,
    return_memory,
    set_deadline,
    take_signals,
)
from ragvl.indexers.reading import (
    Drawing,
    Opened,
    PagesRead,
    Shelf,
    Source,
    open_document,
    read_pages,
    render_page,
)

OUT_OF_MEMORY = 71  # exit status

_T = TypeVar("_T")
_NO_MEMORY = re.compile(r"bad[_ ]alloc|malloc|allocat|insufficient memory|out of memory", re.IGNORECASE)


@dataclass(slots=True)
class _Worker:
    reading: ReadingConfig
    passages: PassageConfig
    drawing: Drawing | None
    shelf: Shelf
    ocr: PageOcr


_worker: _Worker | None = None


def start(reading: ReadingConfig, passages: PassageConfig, drawing: Drawing | None) -> None:
    """Prepare this process; called once, before its first task."""
    global _worker
    take_signals()
    end_with_parent()
    be_silent()
    return_memory()
    limit_memory(reading.worker_memory_mb)
    _worker = _Worker(reading, passages, drawing, Shelf(reading), PageOcr(reading.ocr))


def open_task(path: Path, media_type: str, password: str | None, scratch: Path) -> Opened:
    """
    Open a document within `document_timeout_s`.

    Raises:
        ReadError: with the status that the document gets.
    """
    worker = _started()
    set_deadline(worker.reading.document_timeout_s)
    return _run(lambda: open_document(path, media_type, password, worker.reading, scratch))


def pages_task(source: Source, numbers: tuple[int, ...]) -> PagesRead:
    """
    Read pages, each within `page_timeout_s`.

    Raises:
        ReadError: the document cannot be opened.
    """
    worker = _started()
    set_deadline(worker.reading.document_timeout_s)
    timed = _timed(numbers, worker.reading.page_timeout_s)
    return _run(lambda: read_pages(worker.shelf, source, timed, worker.ocr, worker.passages, worker.drawing))


def render_task(path: Path, media_type: str, page_number: int, dpi: float, password: str | None) -> bytes:
    """
    Draw one page as WebP.

    Raises:
        ReadError: it cannot be drawn.
    """
    worker = _started()
    set_deadline(worker.reading.document_timeout_s + worker.reading.page_timeout_s)
    return _run(
        lambda: render_page(path, media_type, page_number, dpi=dpi, password=password, config=worker.reading)
    )


def peak_memory_task() -> tuple[int, int]:
    """This process's id and the most memory it ever held, bytes; for tests and benchmarks."""
    import resource

    return os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _started() -> _Worker:
    if _worker is None:
        raise RuntimeError("this process was not started as a reading process")
    return _worker


def _timed(numbers: Iterable[int], seconds: float) -> Iterator[int]:
    """Give page numbers; asking for the next one sets the deadline anew."""
    for number in numbers:
        set_deadline(seconds)
        yield number


def _run(task: Callable[[], _T]) -> _T:
    try:
        return task()
    # Engines report exhausted memory in errors of many types, and are of no further use then: start afresh.
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:
        if _NO_MEMORY.search(str(error)):
            os._exit(OUT_OF_MEMORY)
        raise
    finally:
        set_deadline(0)
