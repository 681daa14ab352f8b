"""Questions written down one JSON object a line, and their fields; every fault is told with its line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ragvl.evals.datasets.errors import DatasetError

__all__ = ["FieldError", "Row", "read_rows", "rows_of", "take_all"]

_SHOWN = 5
T = TypeVar("T")


class FieldError(ValueError):
    """A row does not say what it should; the message names the field."""


@dataclass(frozen=True, slots=True)
class Row:
    """
    One question as it is written.

    Attributes:
        place: where it stands, such as "line 7".
        number: its line, or its place in a list; from 1.
    """

    place: str
    number: int
    values: Mapping[str, object]

    def text(self, *names: str, default: str | None = None) -> str:
        """
        The text of the first of some fields that is there and not null; a number is taken as it is written.

        Raises:
            FieldError: none of them is there and there is no default, or it is no text.
        """
        name, value = self._first(names)
        if value is None:
            if default is None:
                raise FieldError(f"{' or '.join(map(repr, names))} is missing")
            return default
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise FieldError(f"{name!r} must be text, not {_kind(value)}")
        return str(value)

    def texts(self, *names: str) -> tuple[str, ...]:
        """
        A text, or a list of texts; nothing when the field is not there.

        Raises:
            FieldError: it is neither.
        """
        name, value = self._first(names)
        members = value if isinstance(value, list) else [] if value is None else [value]
        for member in members:
            if isinstance(member, bool) or not isinstance(member, (str, int, float)):
                raise FieldError(f"{name!r} must be text or a list of texts, but holds {_kind(member)}")
        return tuple(str(member) for member in members)

    def flag(self, name: str) -> bool | None:
        """
        True or false; None when the field is not there.

        Raises:
            FieldError: it is neither.
        """
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise FieldError(f"{name!r} must be true or false, not {_kind(value)}")

    def items(self, name: str) -> list[object]:
        """
        A list of anything; empty when the field is not there.

        Raises:
            FieldError: it is no list.
        """
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise FieldError(f"{name!r} must be a list, not {_kind(value)}")
        return value

    def _first(self, names: Iterable[str]) -> tuple[str, object]:
        found = ((name, self.values[name]) for name in names if self.values.get(name) is not None)
        return next(found, ("", None))


def read_rows(path: Path) -> list[Row]:
    """
    Read a file of one JSON object a line; empty lines are passed over.

    Raises:
        DatasetError: a line is no JSON object, or the file is no UTF-8.
        OSError: the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from None
    rows, faults = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(Row(f"line {number}", number, _parsed(line)))
        except FieldError as error:
            faults.append(f"line {number}: {error}")
    _refuse(path, faults)
    return rows


def rows_of(values: Iterable[Mapping[str, object]], what: str = "row") -> list[Row]:
    """Number rows that come from a table or a list, from 1."""
    return [Row(f"{what} {number}", number, each) for number, each in enumerate(values, 1)]


def take_all(path: Path | str, rows: Iterable[Row], take: Callable[[Row], T]) -> list[T]:
    """
    Apply `take` to every row.

    Raises:
        DatasetError: `take` raised FieldError; the first few faults are told, with the number of all.
    """
    taken, faults = [], []
    for row in rows:
        try:
            taken.append(take(row))
        except FieldError as error:
            faults.append(f"{row.place}: {error}")
    _refuse(path, faults)
    return taken


def _parsed(line: str) -> dict[str, object]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise FieldError(f"not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(value, dict):
        raise FieldError(f"must be a JSON object, not {_kind(value)}")
    return value


def _refuse(path: Path | str, faults: list[str]) -> None:
    if not faults:
        return
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    raise DatasetError(f"{path}: {'; '.join(faults[:_SHOWN])}{more}")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
