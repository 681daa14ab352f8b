"""
Processes that read untrusted files: started cheaply, held to a memory limit, gone when their parent is.

They are forked from a server process that has imported the readers, so a new one costs milliseconds.
"""

from __future__ import annotations

import ctypes
import fcntl
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import context, spawn
from multiprocessing.process import BaseProcess
from typing import Any

_PRELOADED = ["ragvl.indexers.worker_modules"]
WAITING = 4.0  # by the clock, for a second of computing time
DEADLINES = (signal.SIGPROF, signal.SIGALRM)
_PATCH_LOCK = threading.Lock()
_MEBIBYTE = 1024 * 1024
_M_MMAP_THRESHOLD = -3  # from malloc.h
_CODE_MB = 192  # libraries and stacks, which the limit on data does not count


class _WorkerProcess(context.ForkServerProcess):
    """A process that does not run the caller's main module again."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:
        with _main_left_alone():
            return context.ForkServerProcess._Popen(process_obj)


class WorkerContext(context.ForkServerContext):
    """The way reading processes are started."""

    Process = _WorkerProcess


def worker_context() -> WorkerContext:
    """The context for reading processes; the readers are imported once, by the server that forks them."""
    chosen = WorkerContext()
    chosen.set_forkserver_preload(_PRELOADED)
    return chosen


def core_count() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_memory(memory_mb: int) -> None:
    """
    Make allocations fail in this process past a limit.

    RLIMIT_DATA, not RLIMIT_AS: OpenVINO reserves far more addresses than it ever fills. Linux enforces it;
    macOS accepts and ignores it.
    """
    limit = max(memory_mb - _CODE_MB, 64) * _MEBIBYTE
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def return_memory() -> None:
    """
    Give large buffers back to the system as soon as they are free, where the C library is glibc.

    Left alone it keeps what the networks used for one page, in case the next needs as much: 150 MB a process.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MEBIBYTE)


def end_with_parent() -> None:
    """
    Have the kernel end this process when its parent ends, in whatever way.

    A thread could not: a parser that hangs holds the interpreter's lock. The pipe that tells of the parent's end
    is set to raise SIGIO, whose default is to terminate.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel: int = parent.sentinel
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)


def take_signals() -> None:
    """Leave Ctrl-C to the parent; let a request to end, and a deadline, end this process at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for deadline in DEADLINES:
        signal.signal(deadline, signal.SIG_DFL)


def be_silent() -> None:
    """Close this process's standard output and error: parsers written in C complain there about bad files."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def set_deadline(seconds: float) -> None:
    """
    End this process when it has computed for so many seconds, whatever it does then; 0 takes that back.

    Computing time, for a busy or sleeping machine is not the document's fault; what waits instead of computing
    is ended after `WAITING` times as long by the clock.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, WAITING * seconds)


@contextmanager
def _main_left_alone() -> Iterator[None]:
    """
    Start a process without telling it the caller's main module.

    Multiprocessing would import it again in each worker, which fails for every script that does not guard
    itself with `if __name__ == "__main__"`; our tasks live in importable modules.
    """
    caller = threading.get_ident()
    with _PATCH_LOCK:
        original = spawn.get_preparation_data

        def without_main(name: str) -> dict[str, Any]:
            prepared: dict[str, Any] = original(name)
            if threading.get_ident() == caller:
                prepared.pop("init_main_from_name", None)
                prepared.pop("init_main_from_path", None)
            return prepared

        spawn.get_preparation_data = without_main
        try:
            yield
        finally:
            spawn.get_preparation_data = original
