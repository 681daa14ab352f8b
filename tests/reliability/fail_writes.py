"""
Fail every write there is, one after the other: each must end in an `IndexWriteError` that names a path, and leave
the index as it was; none may succeed silently.

    python tests/reliability/fail_writes.py calls      # the N-th write, sync, rename fails, N = 1, 2, ... until none is left
    python tests/reliability/fail_writes.py size       # no file may grow past a limit (RLIMIT_FSIZE), for growing limits
    python tests/reliability/fail_writes.py space      # a full disk: a tmpfs with ever more space; needs root
    python tests/reliability/fail_writes.py reads      # the N-th read of a search fails

After each failure the index is opened anew, `verify` must find nothing, and searches must find what they found before,
or what they find after a run without failure when nothing was raised.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import itertools
import logging
import os
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
from harness import Result, finish, open_library, open_writer, put, results

from ragvl.errors import IndexStoreError, IndexWriteError
from ragvl.indexers.store import files

_SKIPPED = 77
_PAGE = "note {0} tells of a crane in the harbour and of the tide at the north pier, invoice {0}"


# --- what is made to fail -------------------------------------------------------------------------


def create(folder: Path) -> None:
    """Make an index."""
    with open_writer(folder, paged=True) as writer:
        for part in range(3):
            with writer.batch() as batch:
                for number in range(part, 30, 3):
                    put(batch, f"{number}.txt", _PAGE.format(number))


def add(folder: Path) -> None:
    """Commit one batch that adds and removes."""
    with open_writer(folder, paged=True) as writer, writer.batch() as batch:
        for number in range(30, 60):
            put(batch, f"{number}.txt", _PAGE.format(number))
        for number in range(15):
            batch.drop_file(f"{number}.txt".encode())


def compact(folder: Path) -> None:
    """Compact an index that has dead vectors."""
    with open_writer(folder, paged=True) as writer:
        writer.compact()


# --- faults ---------------------------------------------------------------------------------------


class Faults:
    """Counts calls that write, and makes the N-th fail, or all from the N-th."""

    def __init__(self, *, of_reads: bool = False) -> None:
        self.of_reads = of_reads
        self.calls = 0
        self.fails_at = 0
        self.goes_on = False
        self.failed = ""

    def arm(self, fails_at: int, *, goes_on: bool) -> None:
        """Begin to count."""
        self.calls, self.fails_at, self.goes_on, self.failed = 0, fails_at, goes_on, ""

    def disarm(self) -> None:
        """Let everything pass."""
        self.fails_at = 0

    def fails(self, what: str, *, reads: bool = False) -> bool:
        """Count a call; whether it is to fail."""
        if reads != self.of_reads:
            return False
        self.calls += 1
        if (
            not self.fails_at
            or self.calls < self.fails_at
            or (self.calls > self.fails_at and not self.goes_on)
        ):
            return False
        self.failed = self.failed or what
        return True


FAULTS = Faults()


class FaultyFile(apsw.VFSFile):
    """A file of SQLite's."""

    def __init__(self, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self.is_log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)

    def xRead(self, amount: int, offset: int) -> bytes:
        """Read, perhaps nothing."""
        if FAULTS.fails("read", reads=True):
            raise _io_error(apsw.SQLITE_IOERR_READ)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        """Write, perhaps half of it."""
        if FAULTS.fails("write to the log" if self.is_log else "write to the database"):
            super().xWrite(data[: len(data) // 2], offset)
            raise apsw.FullError("no space left")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        """Flush."""
        if FAULTS.fails("sync of the log" if self.is_log else "sync of the database"):
            raise _io_error(apsw.SQLITE_IOERR_FSYNC)
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        """Cut."""
        if FAULTS.fails("truncation"):
            raise _io_error(apsw.SQLITE_IOERR_TRUNCATE)
        super().xTruncate(size)


class FaultyDisk(apsw.VFS):
    """SQLite's way to the disk, under the one that writes checksums."""

    def __init__(self) -> None:
        super().__init__("faulty", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> FaultyFile:
        """Open a file, or make one."""
        return FaultyFile(name, flags)


def _io_error(extended: int) -> apsw.IOError:
    error = apsw.IOError("disk I/O error")
    error.extendedresult = extended
    return error


@contextmanager
def faulty_calls() -> Iterator[None]:
    """Put the faults between ragvl and the disk."""
    real_fsync, real_write, real_replace, real_mkdir = os.fsync, files._write_synced, Path.replace, Path.mkdir

    def fsync(handle: int) -> None:
        if FAULTS.fails("fsync"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real_fsync(handle)

    def write(path: Path, chunks: Iterable[bytes]) -> tuple[int, str]:
        if FAULTS.fails("write of a file"):
            content = b"".join(chunks)
            path.write_bytes(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_write(path, chunks)

    def replace(path: Path, target: Path) -> Path:
        if FAULTS.fails("rename"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real_replace(path, target)

    def mkdir(path: Path, *arguments: Any, **options: Any) -> None:
        if FAULTS.fails("new folder"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real_mkdir(path, *arguments, **options)

    os.fsync, files._write_synced = fsync, write
    Path.replace, Path.mkdir = replace, mkdir  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        os.fsync, files._write_synced = real_fsync, real_write
        Path.replace, Path.mkdir = real_replace, real_mkdir  # type: ignore[method-assign]


# --- trials ---------------------------------------------------------------------------------------


class Trial:
    """Does a thing under faults, and looks at what is left."""

    def __init__(self, scratch: Path, work: Callable[[Path], None], disk: Path | None = None) -> None:
        self.name = work.__name__
        self.work = work
        self.base = scratch / f"base-{self.name}"
        if work is not create:
            create(self.base)
        if work is compact:
            add(self.base)
        self.disk = disk or scratch
        self.folder = self.disk / "index" / ".ragvl"
        self.before = self._results(self.base) if work is not create else None
        shutil.copytree(self.base, self.folder) if self.before is not None else None
        work(self.folder)
        self.after = self._results(self.folder)
        self.largest_bytes = max(path.stat().st_size for path in self.folder.rglob("*"))
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []

    def reset(self) -> None:
        """Put the index back as it was before."""
        shutil.rmtree(self.folder.parent, ignore_errors=True)
        if self.before is not None:
            shutil.copytree(self.base, self.folder)

    def once(self, faults: Callable[[], Any], why: str) -> bool:
        """Do it under faults; whether it came through."""
        where = f"{self.name}, {why}"
        error: Exception | None = None
        try:
            with faults():
                self.work(self.folder)
        except Exception as caught:  # noqa: BLE001 -- whatever it is, it is judged
            error = caught
        self._judge(error, f"{where}{f' ({FAULTS.failed})' if FAULTS.failed else ''}")
        return error is None

    def _judge(self, error: Exception | None, where: str) -> None:
        if error is not None and not (isinstance(error, IndexWriteError) and str(self.folder) in str(error)):
            self.failures.append(f"{where}: {type(error).__name__}: {error}")
        self.counts[f"{self.name}: {'raised' if error else 'done'}"] += 1
        if not (self.folder / "ragvl.db").exists():
            if error is None or self.before is not None:
                self.failures.append(f"{where}: there is no index")
            return
        found = self._results(self.folder)
        if isinstance(found, str):
            self.failures.append(f"{where}: {error!r}, and then {found}")
            return
        allowed: list[object] = [self.before, self.after] if self.name == "compact" else [self.after]
        if error is not None:
            # Of the batches that make an index, some may be committed.
            allowed = [found] if self.name == "create" else [self.before]
        if found not in allowed:
            what = "after" if found == self.after else "neither before nor after"
            self.failures.append(f"{where}: {error!r}, but what is found is that of {what}")

    def _results(self, folder: Path) -> list[list[Result]] | str:
        try:
            with open_library(folder) as library:
                damages = library.verify().damages
                return results(library) if not damages else str(damages)
        except IndexStoreError as error:
            return repr(error)


def fail_calls(trial: Trial, step: int) -> None:
    """Fail the N-th call once, and all from the N-th, until a run gets by without."""
    for goes_on in (False, True):
        fails_at = 1
        while True:

            @contextmanager
            def armed() -> Iterator[None]:
                FAULTS.arm(fails_at, goes_on=goes_on)  # noqa: B023 -- used at once
                try:
                    yield
                finally:
                    FAULTS.disarm()

            trial.reset()
            trial.once(armed, f"call {fails_at}{' and all after it' if goes_on else ''}")
            if not FAULTS.failed:
                break
            trial.counts["calls failed"] += 1
            fails_at += step


def fail_reads(folder: Path) -> tuple[Counter[str], list[str]]:
    """Fail the N-th read of a search, and all from the N-th, until a search gets by without."""
    create(folder)
    FAULTS.of_reads = True
    counts: Counter[str] = Counter()
    failures = []
    with open_library(folder) as library:
        sound = results(library)
    for goes_on in (False, True):
        for fails_at in itertools.count(1):
            FAULTS.arm(fails_at, goes_on=goes_on)
            try:
                with open_library(folder) as library:
                    found = results(library)
            except IndexStoreError as error:
                counts[f"search: {type(error).__name__}"] += 1
                if str(folder) not in str(error):
                    failures.append(f"read {fails_at}: {error}")
            else:
                counts["search: done"] += 1
                if found != sound:
                    failures.append(f"read {fails_at}: other results, and no error")
            finally:
                FAULTS.disarm()
            if not FAULTS.failed:
                break
    return counts, failures


def limit_sizes(trial: Trial, step_bytes: int) -> None:
    """Let no file grow past a limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in range(0, 3 * trial.largest_bytes, step_bytes):

        @contextmanager
        def limited() -> Iterator[None]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))  # noqa: B023 -- used at once
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        trial.reset()
        trial.counts["limits"] += 1
        if trial.once(limited, f"no file over {limit} bytes"):
            return
    trial.failures.append(f"{trial.name}: no limit was high enough")


def limit_space(trial: Trial, step_bytes: int) -> None:
    """Leave ever more space on a small disk."""
    filler = trial.disk / "filler"
    for space in range(0, 8 * trial.largest_bytes, step_bytes):

        @contextmanager
        def filled() -> Iterator[None]:
            status = os.statvfs(trial.disk)
            free = status.f_bavail * status.f_frsize - space  # noqa: B023 -- used at once
            filler.write_bytes(bytes(max(0, free)))
            try:
                yield
            finally:
                filler.unlink()

        trial.reset()
        trial.counts["sizes of the disk"] += 1
        if trial.once(filled, f"{space} bytes left on the disk"):
            return
    trial.failures.append(f"{trial.name}: no space was large enough")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A tmpfs of 8 MiB; None where it may not be mounted."""
    folder.mkdir()
    library = ctypes.CDLL(None, use_errno=True)
    if library.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=8m"):
        yield None
        return
    try:
        yield folder
    finally:
        library.umount2(os.fsencode(folder), 2)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faults", choices=("calls", "size", "space", "reads"))
    parser.add_argument(
        "--step", type=int, default=1, help="calls, or pages of 4 KiB, from one trial to the next"
    )
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    began = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="ragvl-faults-"))
    failures: list[str] = []
    counts: Counter[str] = Counter()
    # Before ragvl loads the VFS that writes checksums, which then lies on top of this one for good.
    disk_of_sqlite = FaultyDisk() if options.faults in ("calls", "reads") else None
    try:
        if options.faults == "reads":
            counts, failures = fail_reads(scratch / ".ragvl")
        for work in (create, add, compact) if options.faults != "reads" else ():
            part = scratch / work.__name__
            part.mkdir()
            if options.faults == "calls":
                with faulty_calls():
                    trial = Trial(part, work)
                    fail_calls(trial, options.step)
            elif options.faults == "size":
                trial = Trial(part, work)
                limit_sizes(trial, options.step * 4096)
            else:
                with small_disk(part / "disk") as disk:
                    if disk is None:
                        raise SystemExit(_SKIPPED)
                    trial = Trial(part, work, disk)
                    limit_space(trial, options.step * 4096)
            counts.update(trial.counts)
            failures += trial.failures
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    finish({"vfs": disk_of_sqlite is not None, **counts}, failures, began)


if __name__ == "__main__":
    main()
