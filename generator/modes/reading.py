"""A model's answer to a form, read: the values, where each comes from, and what is wrong with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ragvl.generator.modes.schema import Schema, type_of

Scalar = str | int | float | bool

_FENCE = re.compile(r"^```[a-z]*\s*\n(.*?)\n?```\s*$", re.DOTALL | re.IGNORECASE)
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


class MalformedError(ValueError):
    """What a model wrote is no JSON object; the message says why."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value: its path such as "lines[0].amount", and the label that it was given with, "" for none."""

    path: str
    value: Scalar | None
    label: str
    schema: Schema


@dataclass(slots=True)
class Reading:
    """
    An answer taken apart.

    Attributes:
        values: in the shape of the form; null where no page says it.
        leaves: in the order of the form.
        wrong: values of another type or shape than the form's, which are left out.
        missing: paths of required fields that are null or left out.
    """

    values: dict[str, Any] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def parse_object(text: str) -> dict[str, Any]:
    """
    The JSON object in what a model wrote, whatever stands around it.

    Raises:
        MalformedError: there is none.
    """
    bare = text.strip()
    fenced = _FENCE.match(bare)
    bare = fenced.group(1).strip() if fenced else bare
    if not bare.startswith("{"):
        inner = _OBJECT.search(bare)
        bare = inner.group() if inner else bare
    try:
        value = json.loads(bare, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise MalformedError(
            f"not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise MalformedError("not valid JSON: nested too deep") from None
    if not isinstance(value, dict):
        raise MalformedError(f"a JSON {type(value).__name__} in place of an object")
    return value


def read_answer(answer: Mapping[str, Any], schema: Schema) -> Reading:
    """Take an answer apart by a checked form; keys that the form does not have are left out."""
    reading = Reading()
    reading.values = _object(answer, schema, "", reading)
    return reading


def _object(answer: Mapping[str, Any], schema: Schema, path: str, reading: Reading) -> dict[str, Any]:
    required = schema.get("required", [])
    values = {}
    for name, part in schema["properties"].items():
        place = f"{path}.{name}" if path else name
        values[name] = _part(answer.get(name), part, place, reading)
        if name in required and values[name] is None:
            reading.missing.append(place)
    return values


def _part(answer: Any, schema: Schema, path: str, reading: Reading) -> Any:
    kind = type_of(schema)
    if kind not in {"object", "array"}:
        return _leaf(answer, schema, path, reading)
    if answer is None:
        return None
    if kind == "object":
        if isinstance(answer, Mapping):
            return _object(answer, schema, path, reading)
        reading.wrong.append(f"{path} must be an object")
        return None
    if isinstance(answer, list):
        return [
            _part(item, schema["items"], f"{path}[{place}]", reading) for place, item in enumerate(answer)
        ]
    reading.wrong.append(f"{path} must be an array")
    return None


def _leaf(answer: Any, schema: Schema, path: str, reading: Reading) -> Any:
    value, page = answer, None
    if isinstance(answer, Mapping):
        value, page = answer.get("value"), answer.get("page")
    if isinstance(value, float) and value.is_integer() and type_of(schema) == "integer":
        value = int(value)
    if isinstance(value, str) and not value.strip():
        value = None
    if value is not None and not _fits(value, schema):
        reading.wrong.append(f"{path} must be {_wanted(schema)}, not {json.dumps(value)[:80]}")
        value = None
    label = page.strip(" []'\"").lower() if isinstance(page, str) else ""
    reading.leaves.append(Leaf(path, value, label, schema))
    return value


def _fits(value: Any, schema: Schema) -> bool:
    if "enum" in schema:
        return any(
            value == one and isinstance(value, bool) == isinstance(one, bool) for one in schema["enum"]
        )
    kind = type_of(schema)
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    return isinstance(value, int) if kind == "integer" else isinstance(value, int | float)


def _wanted(schema: Schema) -> str:
    if "enum" in schema:
        return f"one of {json.dumps(schema['enum'])}"
    return f"of type {type_of(schema)}"


def _no_constant(name: str) -> NoReturn:
    raise MalformedError(f"not valid JSON: {name} is no number")
