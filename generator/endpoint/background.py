"""
Asynchronous work, iterated from code that is not: in a thread and an event loop of its own.

Every wait in an event loop can be given an end, looking up a name among them, and be let go of at once; and the
caller may itself run in an event loop, as in a notebook.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_CLOSING_S = 2.0


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


class Background(Generic[_Item]):
    """
    Starts at once; iterate for what is emitted, once, and close in any case.

    Args:
        work: called with a function that hands an item over. What it raises is raised by the iteration, after the
            items handed over before.
    """

    def __init__(self, work: Callable[[Callable[[_Item], None]], Awaitable[None]]) -> None:
        self._work = work
        self._inbox: SimpleQueue[_Item | _End] = SimpleQueue()
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ragvl-endpoint", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[_Item]:
        while True:
            item = self._inbox.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def close(self) -> None:
        """Stop the work and let go of what it holds; returns once it has, or after two seconds."""
        self._started.wait()
        if self._loop is not None and self._task is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._task.cancel)
            except RuntimeError:
                return  # it ended in the meantime
        # Not for the thread: its event loop ends only when the system has looked up a name.
        self._ended.wait(_CLOSING_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        finally:
            self._ended.set()
            self._started.set()
            self._inbox.put(_End())  # read only where `_main` could not say so itself

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._started.set()
        try:
            await self._work(self._inbox.put)
        except asyncio.CancelledError:
            self._inbox.put(_End())
        except Exception as error:  # noqa: BLE001 # raised by the iteration
            self._inbox.put(_End(error))
        else:
            self._inbox.put(_End())
        finally:
            self._ended.set()
