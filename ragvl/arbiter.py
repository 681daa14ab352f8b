"""
One device, several models: who may be in its memory, and who has to leave.

Every use of a model is announced: `with arbiter.using(model, working_bytes=...)`. Models that nobody uses leave in the
order in which they were used last, to the memory of the host as long as its budget lasts, else altogether.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from ragvl.errors import DeviceMemoryError
from ragvl.memory import readable
from ragvl.residency import DeviceModel, Place, Residency, Resident, Use

__all__ = ["Arbiter", "DeviceModel", "HeldModel", "Place"]

_Model = TypeVar("_Model", bound=DeviceModel)


@dataclass(frozen=True, slots=True)
class HeldModel:
    """A model that the arbiter knows of: its name, where it is, what its weights take there, and how many use it."""

    name: str
    place: Place
    weights_bytes: int
    users: int


class Arbiter:
    """
    Shares the memory of one device among models; safe to use from several threads.

    What it keeps: the weights on the device and the working memory of all that is in use never pass `budget_bytes`; a
    model in use is never moved; who waits gets a turn in the order of asking, but for threads that hold a model
    already: they come first, so that they can finish.

    Args:
        budget_bytes: of the device, for weights and working memory; see `ragvl.memory.budgets`.
        host_budget_bytes: of the host, for models that are moved there; 0 has them freed at once.
    """

    def __init__(self, budget_bytes: int, host_budget_bytes: int = 0) -> None:
        if budget_bytes < 0 or host_budget_bytes < 0:
            raise ValueError("a budget must not be negative")
        self.budget_bytes = budget_bytes
        self.host_budget_bytes = host_budget_bytes
        self._changed = threading.Condition()
        self._books = Residency(budget_bytes)
        self._mover: int | None = None  # one thread moves models at a time

    @contextmanager
    def using(self, model: _Model, working_bytes: int = 0) -> Iterator[_Model]:
        """
        Hold a model on the device, waiting for room where others will give it back.

        Uses may be nested, and several may share one model. Leave in the thread that entered: a thread that asks for
        more is taken to hold what it entered, which is how a wait without end is found.

        Args:
            model: is moved to the device when it is elsewhere.
            working_bytes: what computing with it takes at most beside its weights.

        Raises:
            DeviceMemoryError: it cannot fit, or only after something that itself waits for this thread.
            Exception: whatever moving a model raised; a model whose move failed has been freed.
        """
        if working_bytes < 0:
            raise ValueError("working_bytes must not be negative")
        use = self._enter(model, working_bytes)
        try:
            yield model
        finally:
            self._leave(use)

    def clear(self) -> None:
        """Free every model that is not in use, on the device and on the host."""
        with self._changed:
            self._refuse_inside_a_move("everything")
            self._changed.wait_for(lambda: self._mover is None)
            idle = [one for one in self._books.residents.values() if not self._books.users(one)]
            self._start_moving(idle)
        self._move(idle, self._free)

    def held(self) -> tuple[HeldModel, ...]:
        """The models on the device and on the host, by name."""
        with self._changed:
            residents = list(self._books.residents.values())
            users = [self._books.users(one) for one in residents]
        held = [
            HeldModel(one.model.name, one.place, one.weights_bytes, count)
            for one, count in zip(residents, users, strict=True)
        ]
        return tuple(sorted(held, key=lambda one: one.name))

    # --- getting in and out -------------------------------------------------------------------------

    def _enter(self, model: DeviceModel, working_bytes: int) -> Use:
        with self._changed:
            self._refuse_inside_a_move(f'"{model.name}"')
            wanted = self._books.residents.get(id(model)) or Resident(model, model.weights_bytes)
            use = Use(wanted, working_bytes, threading.get_ident())
            self._refuse_impossible(use)
            self._books.residents[id(model)] = wanted
            self._wait(use)
            self._books.touch(wanted)
            moving = self._books.leaving()
            if wanted.place is not Place.DEVICE:
                moving.append(wanted)
            if not moving:
                return use
            self._start_moving(moving)
        try:
            self._move(moving, lambda one: self._load(one) if one is wanted else self._evict(one))
        except BaseException:
            self._leave(use)
            raise
        return use

    def _wait(self, use: Use) -> None:
        self._books.waiting.append(use)
        try:
            while not self._may_enter(use):
                self._refuse_deadlock(use)
                self._changed.wait()
            self._books.uses.append(use)
        finally:
            self._books.waiting.remove(use)
            self._books.forget_absent()
            self._changed.notify_all()

    def _leave(self, use: Use) -> None:
        with self._changed:
            self._books.uses.remove(use)
            self._books.touch(use.resident)
            self._books.forget_absent()
            self._changed.notify_all()

    def _may_enter(self, use: Use) -> bool:
        if use.resident.moving or not self._books.is_next(use):
            return False
        needs_moves = use.resident.place is not Place.DEVICE or self._books.over_bytes(use) > 0
        return self._books.fits([*self._books.uses, use]) and not (needs_moves and self._mover is not None)

    # --- refusing -----------------------------------------------------------------------------------

    def _refuse_inside_a_move(self, what: str) -> None:
        if self._mover == threading.get_ident():
            raise RuntimeError(
                f"{what} was asked of the arbiter by a model that it is moving; it would wait for itself"
            )

    def _refuse_impossible(self, use: Use) -> None:
        if not self._books.fits([use]):
            raise DeviceMemoryError(
                f"{self._needs(use)}, and models may take {readable(self.budget_bytes)}. Take a smaller model or a "
                "lower precision, work on less at a time, or raise device.memory_mb if the device has more"
            )

    def _refuse_deadlock(self, use: Use) -> None:
        blocking = self._books.blocking(use)
        if not blocking:
            return
        names = ", ".join(sorted({f'"{one.resident.model.name}"' for one in blocking}))
        alone = {one.thread for one in blocking} == {use.thread}
        holder = "the thread that asks" if alone else "threads that wait for each other"
        raise DeviceMemoryError(
            f"{self._needs(use)}, but {names} is held by {holder}, and models may take "
            f"{readable(self.budget_bytes)} together. Leave one model before asking for the next, take smaller ones, "
            "or raise device.memory_mb if the device has more"
        )

    def _needs(self, use: Use) -> str:
        weights, working = use.resident.weights_bytes, use.working_bytes
        held = [one for one in self.held() if one.place is Place.DEVICE]
        there = ", ".join(f'"{one.name}" {readable(one.weights_bytes)}' for one in held) or "nothing"
        return (
            f'"{use.resident.model.name}" needs {readable(weights + working)} of device memory '
            f"({readable(weights)} of weights, {readable(working)} to work in; there now: {there})"
        )

    # --- moving: by one thread at a time, outside the lock ------------------------------------------

    def _start_moving(self, residents: Sequence[Resident]) -> None:
        self._mover = threading.get_ident()
        for one in residents:
            one.moving = True

    def _move(self, residents: Sequence[Resident], move: Callable[[Resident], None]) -> None:
        try:
            for one in residents:
                move(one)
        finally:
            with self._changed:
                for one in residents:
                    one.moving = False
                self._mover = None
                self._books.forget_absent()
                self._changed.notify_all()

    def _load(self, resident: Resident) -> None:
        try:
            resident.model.to_device()
        except BaseException:
            self._free(resident)
            raise
        self._put(resident, Place.DEVICE)

    def _evict(self, resident: Resident) -> None:
        with self._changed:
            others = self._books.residents.values()
            parked = sum(one.weights_bytes for one in others if one.place is Place.HOST)
        if parked + resident.weights_bytes > self.host_budget_bytes:
            self._free(resident)
            return
        try:
            resident.model.to_host()
        except Exception:  # noqa: BLE001 -- the host may be short in any way, and the model can be loaded again
            self._free(resident)
        else:
            _return_cached_blocks()
            self._put(resident, Place.HOST)

    def _free(self, resident: Resident) -> None:
        try:
            resident.model.free()
        finally:
            _return_cached_blocks()
            self._put(resident, Place.NOWHERE)

    def _put(self, resident: Resident, place: Place) -> None:
        with self._changed:
            resident.place = place


def _return_cached_blocks() -> None:
    """Have torch give back what models that left have left behind, lest the next one find it in pieces."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
