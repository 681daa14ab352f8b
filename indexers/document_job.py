"""What is left to do for one document that is being read, and what became of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

from ragvl.indexers.passages import PageDraft
from ragvl.indexers.reading import Opened, PagesRead, Source
from ragvl.indexers.titles import largest_line
from ragvl.types import DocumentStatus

_PAGES_A_TASK = 16
_MAX_LOST_PAGES = 3  # after which a document is given up, so that a hostile one costs a bounded time
_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """
    A document to be read.

    Attributes:
        key: the caller's name for it; it comes back with the result.
        media_type: see `ragvl.indexers.readers.media.media_type_of`.
    """

    key: int
    path: Path
    media_type: str
    password: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentRead:
    """
    What became of one document.

    Attributes:
        reason: "" when the status is `ok`.
        page_count: pages that the document has; 0 when it could not be opened.
        pages: those that were read, in order of their numbers.
    """

    key: int
    status: DocumentStatus
    reason: str
    title: str
    page_count: int
    pages: tuple[PageDraft, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing for a worker to do: open the document, or read the pages of these numbers."""

    numbers: tuple[int, ...] = ()

    @property
    def opens(self) -> bool:
        """Whether the document is opened."""
        return not self.numbers


@dataclass(frozen=True, slots=True)
class _Loss:
    page: int  # 0 for the document
    status: DocumentStatus
    reason: str


class DocumentJob:
    """The tasks of one document, in the order in which they are to be done."""

    def __init__(self, request: ReadRequest, scratch: Path) -> None:
        self.request = request
        self.scratch = scratch
        self._tasks: deque[Task] = deque([Task()])
        self._running = 0
        self._opened: Opened | None = None
        self._pages: dict[int, PageDraft] = {}
        self._losses: list[_Loss] = []
        self._killed = 0  # tasks of one page that took their worker with them
        self._warnings: dict[str, None] = {}

    @property
    def has_tasks(self) -> bool:
        """Whether there is something that may start now."""
        return bool(self._tasks)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do or to wait for."""
        return not self._tasks and not self._running

    @property
    def page_count(self) -> int:
        """Number of pages; 0 until the document is opened."""
        return self._opened.page_count if self._opened else 0

    @property
    def pages_done(self) -> int:
        """Pages read up to now."""
        return len(self._pages)

    @property
    def source(self) -> Source:
        """Where the pages are read from."""
        if self._opened is None:
            raise ValueError("the document is not open yet")
        return self._opened.source

    def next_task(self) -> Task:
        """Take the next task; it must be ended by one of the methods below."""
        self._running += 1
        return self._tasks.popleft()

    def repeat(self, task: Task) -> None:
        """Do a task again that was lost through no fault of the document."""
        self._running -= 1
        self._tasks.appendleft(task)

    def add_opened(self, opened: Opened) -> None:
        """End the first task: now the pages are known."""
        self._running -= 1
        self._opened = opened
        self._warnings |= dict.fromkeys(opened.warnings)
        for first in range(1, opened.page_count + 1, _PAGES_A_TASK):
            last = min(first + _PAGES_A_TASK - 1, opened.page_count)
            self._tasks.append(Task(tuple(range(first, last + 1))))

    def add_pages(self, read: PagesRead) -> None:
        """End a task whose pages were read."""
        self._running -= 1
        self._pages |= {page.number: page for page in read.pages}
        self._warnings |= dict.fromkeys(read.warnings)
        self._warnings |= {f"page {page.number}: {page.warning}": None for page in read.pages if page.warning}
        self._losses += [_Loss(*failure) for failure in read.failures]

    def add_loss(self, task: Task, status: DocumentStatus, reason: str) -> None:
        """
        End a task that failed as a whole.

        Its pages are tried again one by one, so that only a bad one is lost; after three of those, or when the
        document did not even open, it is given up.
        """
        self._running -= 1
        if len(task.numbers) > 1:
            self._tasks.extendleft(Task((number,)) for number in reversed(task.numbers))
        else:
            self._losses.append(_Loss(task.numbers[0] if task.numbers else 0, status, reason))
            self._killed += 1
        if task.opens or self._killed >= _MAX_LOST_PAGES:
            self._tasks.clear()

    def result(self) -> DocumentRead:
        """Sum up what became of the document."""
        count = self.page_count
        title = self._opened.title if self._opened else ""
        pages = tuple(self._pages[number] for number in sorted(self._pages))
        status, reason = self._verdict(count)
        return DocumentRead(self.request.key, status, reason, title or _heading(pages), count, pages)

    def _verdict(self, count: int) -> tuple[DocumentStatus, str]:
        if not self._pages:
            first = self._losses[0]
            return first.status, first.reason
        missing = sorted(set(range(1, count + 1)) - self._pages.keys())
        notes = list(self._warnings)[:_MAX_NAMED]
        if missing:
            named = ", ".join(map(str, missing[:_MAX_NAMED])) + (", ..." if len(missing) > _MAX_NAMED else "")
            why = "; ".join(dict.fromkeys(f"{loss.status}: {loss.reason}" for loss in self._losses))
            notes.insert(0, f"{len(missing)} of {count} pages not read ({named}): {why}")
        return (DocumentStatus.PARTIAL, "; ".join(notes)) if notes else (DocumentStatus.OK, "")


def _heading(pages: tuple[PageDraft, ...]) -> str:
    """What stands largest on the first page that has text; a document without a title goes by it."""
    first = next((page for page in pages if page.passages), None)
    return largest_line(first) if first else ""
