"""A folder of hostile files: each gets its status by name, in time and within memory, and no good file is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ragvl.config import OcrConfig, PassageConfig, ReadingConfig
from ragvl.indexers.readers.media import media_type_of
from ragvl.indexers.workers import DocumentRead, ReadingPool, ReadRequest
from ragvl.types import DocumentStatus
from tests.hostile import Hostile, make_hostile_folder

_MEMORY_MB = 1024
_CONFIG = ReadingConfig(
    workers=2,
    worker_memory_mb=_MEMORY_MB,
    document_timeout_s=4,
    page_timeout_s=4,
    ocr=OcrConfig(pages=False, figures=False),
)


class _PeakMemory(threading.Thread):
    """Samples the peak resident memory of this process's grandchildren, the workers, from /proc."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stopped = threading.Event()
        self.peak_mb = 0.0

    def run(self) -> None:
        while not self.stopped.wait(0.05):
            self.peak_mb = max([self.peak_mb, *map(_peak_mb, _descendants())])


@dataclass(frozen=True)
class _Run:
    files: list[Hostile]
    read: dict[int, DocumentRead]
    seconds: float
    peak_mb: float


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Run]:
    """The folder, read once."""
    folder = tmp_path_factory.mktemp("hostile") / "files"
    folder.mkdir()
    files = make_hostile_folder(folder)
    memory = _PeakMemory()
    memory.start()
    started = time.monotonic()
    with ReadingPool(_CONFIG, PassageConfig()) as pool:
        requests = (ReadRequest(i, file.path, media_type_of(file.path)) for i, file in enumerate(files))
        read = {document.key: document for document in pool.read(requests)}
    seconds = time.monotonic() - started
    memory.stopped.set()
    memory.join()
    yield _Run(files, read, seconds, memory.peak_mb)


def test_every_file_has_the_status_it_deserves(run: _Run) -> None:
    """No file is left out, and each is named for what is wrong with it."""
    wrong = {
        repr(file.path.name): (run.read[key].status, run.read[key].reason)
        for key, file in enumerate(run.files)
        if run.read[key].status not in file.expected
    }
    assert wrong == {}
    assert len(run.files) == len(run.read)


def test_every_failure_has_a_reason(run: _Run) -> None:
    """Whatever is not `ok` says why, without a traceback."""
    for document in run.read.values():
        assert bool(document.reason) == (document.status is not DocumentStatus.OK)
        assert "Traceback" not in document.reason


def test_every_good_file_is_read(run: _Run) -> None:
    """Odd names and bad neighbours cost no good file its text."""
    for key, file in enumerate(run.files):
        text = " ".join(page.text for page in run.read[key].pages)
        assert file.holds in " ".join(text.split()), file.path.name


def test_nothing_outside_the_folder_is_read(run: _Run) -> None:
    """A link is not followed."""
    assert "outside" not in " ".join(page.text for read in run.read.values() for page in read.pages)


def test_workers_stay_within_their_memory(run: _Run) -> None:
    """The peak of every worker's resident memory is under the limit that was set."""
    assert 0 < run.peak_mb <= _MEMORY_MB


def test_hostile_files_cost_a_bounded_time(run: _Run) -> None:
    """The folder is done in the deadlines of its few bad files, not in those of all."""
    assert run.seconds < 50


def _descendants() -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [_own_pid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _own_pid() -> int:
    return int(Path("/proc/self").readlink().name)


def _peak_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return int(line.split()[1]) / 1024
