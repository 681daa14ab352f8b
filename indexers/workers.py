"""Reading documents in worker processes, so that no file can hang, crash or exhaust the caller."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pebble import ProcessExpired, ProcessPool

from ragvl.config import PassageConfig, ReadingConfig
from ragvl.errors import RagvlError, ReadError
from ragvl.indexers import worker
from ragvl.indexers.document_job import DocumentJob, DocumentRead, ReadRequest, Task
from ragvl.indexers.processes import DEADLINES, WAITING, core_count, worker_context
from ragvl.indexers.reading import Drawing
from ragvl.types import DocumentStatus

__all__ = ["DocumentRead", "ReadRequest", "ReadingPool", "draw_page"]

_TASKS_A_WORKER = 200  # then it is replaced: what libraries leak goes with it
_GRACE_S = 5.0  # the worker's own deadline comes first
_MAX_BROKEN_POOLS = 5
_LONGEST_TEMPORARY = 76  # bytes
_TASKS_IN_FLIGHT = 2  # a worker: one being done, one waiting


class ReadingPool:
    """
    Worker processes that read documents; use it in a `with` statement.

    Attributes:
        workers: number of processes.
    """

    def __init__(
        self, reading: ReadingConfig, passages: PassageConfig, drawing: Drawing | None = None
    ) -> None:
        """Start the processes; with a `drawing` they draw the pages that they read."""
        _check_temporary_folder()
        self.workers = reading.workers or core_count()
        self._reading = reading
        self._passages = passages
        self._drawing = drawing
        self._scratch = tempfile.TemporaryDirectory(prefix="ragvl-reading-", ignore_cleanup_errors=True)
        self._pool = self._new_pool()
        self._broken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers, whatever they do."""
        self._pool.stop()
        self._pool.join()
        self._scratch.cleanup()

    def read(
        self, requests: Iterable[ReadRequest], on_pages: Callable[[int, int, int], None] | None = None
    ) -> Iterator[DocumentRead]:
        """
        Read documents and yield each when it is finished, in no particular order.

        Requests are taken as workers become free, so a slow consumer slows the reading, not the memory.

        Args:
            on_pages: called with a document's key, the number of its pages read up to now, and of all its pages.
        """
        desk = _Desk(iter(requests), self._scratch_folder)
        running: dict[Future[Any], tuple[DocumentJob, Task]] = {}
        try:
            while True:
                while len(running) < _TASKS_IN_FLIGHT * self.workers and (chosen := desk.next_task()):
                    running[self._submit(*chosen)] = chosen
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    job, task = running.pop(future)
                    self._settle(job, task, future)
                    if on_pages is not None:
                        on_pages(job.request.key, job.pages_done, job.page_count)
                    if job.is_finished:
                        desk.put_away(job)
                        yield job.result()
        finally:
            for future in running:
                future.cancel()

    def render(
        self, path: Path, media_type: str, page_number: int, *, dpi: float, password: str | None = None
    ) -> bytes:
        """
        Draw one page as WebP.

        Raises:
            ReadError: it cannot be drawn.
        """
        arguments = (path, media_type, page_number, dpi, password)
        timeout_s = _by_the_clock(self._reading, 1)
        future = self._pool.schedule(worker.render_task, arguments, timeout=timeout_s)
        try:
            picture: bytes = future.result()
        except (ProcessExpired, TimeoutError) as error:
            raise ReadError(*explain(error, self._reading)) from None
        return picture

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self.workers,
            max_tasks=_TASKS_A_WORKER,
            initializer=worker.start,
            initargs=(self._reading, self._passages, self._drawing),
            context=worker_context(),
        )

    def _scratch_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._scratch.name))

    def _submit(self, job: DocumentJob, task: Task) -> Future[Any]:
        config = self._reading
        request = job.request
        timeout_s = _by_the_clock(config, len(task.numbers))
        if task.opens:
            arguments = (request.path, request.media_type, request.password, job.scratch)
            future = self._pool.schedule(worker.open_task, arguments, timeout=timeout_s)
        else:
            future = self._pool.schedule(worker.pages_task, (job.source, task.numbers), timeout=timeout_s)
        scheduled: Future[Any] = future
        return scheduled

    def _settle(self, job: DocumentJob, task: Task, future: Future[Any]) -> None:
        """Give a job what became of its task."""
        try:
            outcome = future.result()
        except ReadError as error:
            job.add_loss(task, error.status, error.reason)
        except (BrokenProcessPool, CancelledError):
            self._replace_pool()
            job.repeat(task)
        # Anything may come out of a parser; whatever it is, it is this document's and no other's.
        except Exception as error:  # noqa: BLE001 # see above
            job.add_loss(task, *explain(error, self._reading))
        else:
            job.add_opened(outcome) if task.opens else job.add_pages(outcome)

    def _replace_pool(self) -> None:
        """
        Start again with new workers.

        The pool gives up when a worker dies in the instant between taking a task and saying so.
        """
        if self._pool.active:
            return
        self._broken += 1
        if self._broken > _MAX_BROKEN_POOLS:
            raise RagvlError(
                "reading processes keep ending before they begin to work; "
                f"is reading.worker_memory_mb = {self._reading.worker_memory_mb} enough?"
            )
        self._pool.stop()
        self._pool.join()
        self._pool = self._new_pool()


def draw_page(
    path: Path,
    media_type: str,
    page_number: int,
    dpi: float,
    config: ReadingConfig,
    password: str | None = None,
) -> bytes:
    """
    Draw one page as WebP, in a process of its own.

    Raises:
        ReadError: it cannot be drawn.
    """
    alone = config.model_copy(update={"workers": 1})
    with ReadingPool(alone, PassageConfig()) as pool:
        return pool.render(path, media_type, page_number, dpi=dpi, password=password)


def _check_temporary_folder() -> None:
    """
    Refuse a temporary folder in which no socket can be made: its path may have 108 bytes, 32 of them our own.

    Raises:
        RagvlError: its path is too long.
    """
    folder = tempfile.gettempdir()
    if len(os.fsencode(folder)) > _LONGEST_TEMPORARY:
        raise RagvlError(
            f"the path of the temporary folder is too long for the sockets of reading processes: {folder}; "
            f"set TMPDIR to one of at most {_LONGEST_TEMPORARY} bytes, such as /tmp"
        )


class _Desk:
    """Documents being read: the oldest first, a new one only when those leave a worker idle."""

    def __init__(self, upcoming: Iterator[ReadRequest], new_folder: Callable[[], Path]) -> None:
        self._upcoming = upcoming
        self._new_folder = new_folder
        self._jobs: list[DocumentJob] = []

    def next_task(self) -> tuple[DocumentJob, Task] | None:
        """The next task, or none when all that is left is being done."""
        job = next((job for job in self._jobs if job.has_tasks), None)
        if job is None:
            request = next(self._upcoming, None)
            if request is None:
                return None
            job = DocumentJob(request, self._new_folder())
            self._jobs.append(job)
        return job, job.next_task()

    def put_away(self, job: DocumentJob) -> None:
        """Forget a finished document and delete what it left behind."""
        self._jobs.remove(job)
        shutil.rmtree(job.scratch, ignore_errors=True)


def _by_the_clock(config: ReadingConfig, pages: int) -> float:
    """Seconds after which a task is ended from outside, should its worker's own deadline fail."""
    return WAITING * (config.document_timeout_s + config.page_timeout_s * pages) + _GRACE_S


def explain(error: Exception, config: ReadingConfig) -> tuple[DocumentStatus, str]:
    """Status and reason for a task whose worker ended, or failed in a way that is no `ReadError`."""
    code = error.exitcode if isinstance(error, ProcessExpired) else None
    if code == worker.OUT_OF_MEMORY or code == -signal.SIGKILL:
        limit = f"reading.worker_memory_mb = {config.worker_memory_mb}"
        return DocumentStatus.TOO_LARGE, f"needs more memory than {limit}"
    if isinstance(error, TimeoutError) or (code is not None and -code in DEADLINES):
        limits = f"{config.document_timeout_s:g} s to open, {config.page_timeout_s:g} s for a page"
        return DocumentStatus.TIMEOUT, f"took longer than allowed ({limits}; see reading.*_timeout_s)"
    if code is not None:
        return DocumentStatus.CRASHED, f"ended its reading process with exit status {code}"
    return DocumentStatus.CRASHED, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
