"""The nouns of ragvl as JSON values: field names are those of the dataclasses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import PurePath

from ragvl.types import Page

__all__ = ["Json", "to_json"]

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

# A page's text can be long, and what matters of it is in the passages; its words are a packed form.
_LEFT_OUT: Mapping[type, frozenset[str]] = {Page: frozenset({"text", "words"})}


def to_json(value: object) -> Json:
    """
    Turn a value into what `json.dumps` writes.

    Dates become ISO 8601, enumerations their values, paths text, numbers that JSON cannot hold null.

    Raises:
        TypeError: there is no JSON for such a value.
    """
    if is_dataclass(value) and not isinstance(value, type):
        left_out = _LEFT_OUT.get(type(value), frozenset())
        names = [field.name for field in fields(value) if field.name not in left_out]
        return {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> Json:
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"no JSON for a value of type {type(value).__name__}")
