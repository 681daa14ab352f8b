"""
The books of the arbiter: which model is where, who uses it, who waits, and who has to leave.

Nothing here locks or moves anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

__all__ = ["DeviceModel", "Place", "Residency", "Resident", "Use"]


@runtime_checkable
class DeviceModel(Protocol):
    """A model that can be moved; its arbiter alone calls the three verbs, never two at a time nor while it is in use."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def weights_bytes(self) -> int:
        """Memory that its weights take, on the device or on the host; known before they are loaded."""

    def to_device(self) -> None:
        """Bring the weights to the device, from the host or from disk; they then leave the host."""

    def to_host(self) -> None:
        """Bring the weights from the device to the host."""

    def free(self) -> None:
        """Give the weights up, wherever they are; also when there are none, or a move failed half-way."""


class Place(StrEnum):
    """Where the weights of a model are."""

    NOWHERE = "nowhere"
    HOST = "host"
    DEVICE = "device"


@dataclass(slots=True, eq=False)
class Resident:
    """A model, where its weights are, and when it was used last."""

    model: DeviceModel
    weights_bytes: int
    place: Place = Place.NOWHERE
    moving: bool = False
    last_used: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One user of a model, waiting for it or holding it."""

    resident: Resident
    working_bytes: int
    thread: int


@dataclass(slots=True, eq=False)
class Residency:
    """
    Who is on a device, and who wants to be.

    Attributes:
        budget_bytes: what weights and working memory may take together.
        residents: by identity of the model, for models need not be hashable.
        uses: models held.
        waiting: for a model, in the order of asking.
    """

    budget_bytes: int
    residents: dict[int, Resident] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    waiting: list[Use] = field(default_factory=list)
    _clock: int = 0

    def touch(self, resident: Resident) -> None:
        """Note that a model is used now."""
        self._clock += 1
        resident.last_used = self._clock

    def users(self, resident: Resident) -> int:
        """How many hold a model."""
        return sum(use.resident is resident for use in self.uses)

    def fits(self, uses: Sequence[Use]) -> bool:
        """Whether these, and nothing else, could be on the device together."""
        weights = sum({id(use.resident): use.resident.weights_bytes for use in uses}.values())
        return weights + sum(use.working_bytes for use in uses) <= self.budget_bytes

    def over_bytes(self, *more: Use) -> int:
        """By how much the budget is passed by what is on the device, in use, or asked for by `more`."""
        uses = [*self.uses, *more]
        weights = {id(one): one.weights_bytes for one in self._on_device()}
        weights |= {id(use.resident): use.resident.weights_bytes for use in uses}
        return sum(weights.values()) + sum(use.working_bytes for use in uses) - self.budget_bytes

    def leaving(self) -> list[Resident]:
        """The least recently used models that have to make room for what is in use."""
        over = self.over_bytes()
        leaving: list[Resident] = []
        for one in sorted(self._on_device(), key=lambda one: one.last_used):
            if over > 0 and not self.users(one):
                leaving.append(one)
                over -= one.weights_bytes
        return leaving

    def is_next(self, use: Use) -> bool:
        """Whether one that waits may go: the first, and those whose threads hold a model, so that they can finish."""
        return self.waiting[0] is use or any(other.thread == use.thread for other in self.uses)

    def blocking(self, use: Use) -> list[Use]:
        """
        What one that waits would wait for without end.

        Threads that do not wait will give back what they hold; then those that wait and find room get it, and give back
        what they hold; and so on. What is left blocks the rest.

        Returns:
            The uses that block it; none when it gets its turn.
        """
        waiting = list(self.waiting)
        threads = {one.thread for one in waiting}
        uses = [one for one in self.uses if one.thread in threads]
        while ready := [one for one in waiting if self.fits([*uses, one])]:
            waiting.remove(ready[0])
            uses = [one for one in uses if one.thread != ready[0].thread]
        return uses if use in waiting else []

    def forget_absent(self) -> None:
        """Drop models that are nowhere, and that nobody uses or waits for."""
        known = {id(use.resident) for use in (*self.uses, *self.waiting)}
        self.residents = {
            key: one
            for key, one in self.residents.items()
            if one.place is not Place.NOWHERE or one.moving or id(one) in known
        }

    def _on_device(self) -> list[Resident]:
        return [one for one in self.residents.values() if one.place is Place.DEVICE]
