"""The tasks of one document: what is tried again, and when it is given up."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from pebble import ProcessExpired

from ragvl.config import ReadingConfig
from ragvl.indexers.document_job import DocumentJob, ReadRequest
from ragvl.indexers.passages import PageDraft
from ragvl.indexers.reading import Opened, PagesRead, Source
from ragvl.indexers.worker import OUT_OF_MEMORY
from ragvl.indexers.workers import explain
from ragvl.types import DocumentStatus, TextSource

TIMEOUT = DocumentStatus.TIMEOUT


def _draft(number: int, warning: str = "") -> PageDraft:
    return PageDraft(number, 100, 100, "text", TextSource.LAYER, b"", (), "", warning)


def _read(*numbers: int) -> PagesRead:
    return PagesRead(tuple(map(_draft, numbers)), (), ())


def _job(page_count: int, *warnings: str) -> DocumentJob:
    """A job whose document has been opened."""
    job = DocumentJob(ReadRequest(7, Path("a.pdf"), "application/pdf"), Path("scratch"))
    assert job.next_task().opens
    source = Source(Path("a.pdf"), "application/pdf", "pymupdf")
    job.add_opened(Opened(source, page_count, "Title", warnings))
    return job


def test_pages_are_shared_out_in_tasks() -> None:
    """A long document is spread over the workers, sixteen pages at a time."""
    job = _job(40)
    tasks = [job.next_task() for _ in range(3)]
    assert [len(task.numbers) for task in tasks] == [16, 16, 8]
    assert not job.has_tasks
    for task in reversed(tasks):
        assert not job.is_finished
        job.add_pages(_read(*task.numbers))
    result = job.result()
    assert job.is_finished
    assert (result.key, result.status, result.reason, result.title) == (7, DocumentStatus.OK, "", "Title")
    assert [page.number for page in result.pages] == list(range(1, 41))


def test_the_pages_of_a_lost_task_are_tried_one_by_one() -> None:
    """The pages beside a bad one are kept."""
    job = _job(3)
    job.add_loss(job.next_task(), TIMEOUT, "slow")
    for number in (1, 2, 3):
        task = job.next_task()
        assert task.numbers == (number,)
        if number == 2:
            job.add_loss(task, TIMEOUT, "slow")
        else:
            job.add_pages(_read(number))
    result = job.result()
    assert result.status is DocumentStatus.PARTIAL
    assert result.reason == "1 of 3 pages not read (2): timeout: slow"
    assert [page.number for page in result.pages] == [1, 3]


def test_after_three_bad_pages_a_document_is_given_up() -> None:
    """A hostile document costs a bounded time, however many pages it has."""
    job = _job(1000)
    lost = 0
    while job.has_tasks:
        job.add_loss(job.next_task(), TIMEOUT, "slow")
        lost += 1
    assert lost == 4  # the first task, and three of its pages
    result = job.result()
    assert (result.status, result.reason, result.page_count) == (TIMEOUT, "slow", 1000)


def test_a_document_that_cannot_be_opened_is_not_tried_again() -> None:
    """Its first failure is its status."""
    job = DocumentJob(ReadRequest(7, Path("a.pdf"), "application/pdf"), Path("scratch"))
    job.add_loss(job.next_task(), DocumentStatus.LOCKED, "needs a password")
    assert job.is_finished
    assert (job.result().status, job.result().page_count) == (DocumentStatus.LOCKED, 0)


def test_a_task_lost_with_the_pool_is_done_again() -> None:
    """That the workers were replaced is not the document's fault."""
    job = _job(2)
    task = job.next_task()
    job.repeat(task)
    assert job.next_task() == task


def test_warnings_make_a_document_partial() -> None:
    """What was repaired, and what is wrong with single pages, is told once each."""
    job = _job(2, "repaired")
    job.next_task()
    job.add_pages(PagesRead((_draft(1), _draft(2, "not read by OCR")), (), ("repaired",)))
    assert job.result().status is DocumentStatus.PARTIAL
    assert job.result().reason == "repaired; page 2: not read by OCR"


def test_pages_that_a_reader_refused_are_named() -> None:
    """A page that raised, and took no worker with it, is lost too."""
    job = _job(2)
    job.next_task()
    job.add_pages(PagesRead((_draft(1),), ((2, DocumentStatus.CORRUPT, "broken"),), ()))
    assert job.result().reason == "1 of 2 pages not read (2): corrupt: broken"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ProcessExpired("", code=-signal.SIGPROF), TIMEOUT),
        (ProcessExpired("", code=-signal.SIGALRM), TIMEOUT),
        (TimeoutError(), TIMEOUT),
        (ProcessExpired("", code=OUT_OF_MEMORY), DocumentStatus.TOO_LARGE),
        (ProcessExpired("", code=-signal.SIGKILL), DocumentStatus.TOO_LARGE),
        (ProcessExpired("", code=-signal.SIGSEGV), DocumentStatus.CRASHED),
        (ValueError("a  mistake\nof ours"), DocumentStatus.CRASHED),
    ],
    ids=["computing", "waiting", "from outside", "refused memory", "killed by the system", "segfault", "bug"],
)
def test_how_a_worker_ended_tells_what_became_of_its_task(error: Exception, status: DocumentStatus) -> None:
    """Each way of dying has its status, and a reason of one line."""
    found, reason = explain(error, ReadingConfig())
    assert found is status
    assert reason
    assert "\n" not in reason
