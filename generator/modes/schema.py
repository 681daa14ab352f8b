"""
The subset of JSON Schema that a form may use, and the form of the answer that a model is asked for.

Objects, arrays, and leaves: string, number, integer, boolean, enum. In the answer each leaf of the form becomes
`{"value": ..., "page": label}`, with null for what no page says.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LEAF_TYPES = ("string", "number", "integer", "boolean")
_USED = {"type", "properties", "required", "items", "enum"}
_NOTES = {"title", "description", "$schema", "$id", "examples", "default", "format", "additionalProperties"}
_DEEPEST = 20

Schema = Mapping[str, Any]


def check_schema(schema: object, place: str = "the schema", depth: int = 0) -> None:
    """
    Make sure that a form is one that can be filled in and checked.

    Raises:
        ValueError: it is no object, uses another keyword, or is too deep; the message says where.
    """
    if not isinstance(schema, Mapping):
        raise ValueError(f"{place} must be an object, not {schema!r}")  # noqa: TRY004 -- a user's file is wrong
    if depth > _DEEPEST:
        raise ValueError(f"{place} is nested deeper than {_DEEPEST} levels")
    for key in schema:
        if key not in _USED | _NOTES:
            raise ValueError(f"{place} uses {key!r}, which is not supported{_hint(str(key))}")
    kind = type_of(schema)
    if depth == 0 and kind != "object":
        raise ValueError('the schema must describe an object: {"type": "object", "properties": {...}}')
    if kind == "object":
        _check_object(schema, place, depth)
    elif kind == "array":
        check_schema(schema.get("items"), f"items of {place}", depth + 1)
    elif "enum" in schema:
        choices = schema["enum"]
        if not isinstance(choices, list) or not choices or not all(_is_scalar(one) for one in choices):
            raise ValueError(f"enum of {place} must be a list of texts or numbers")
    elif kind not in _LEAF_TYPES:
        has = f"has the unknown type {kind!r}" if kind else "has no type"
        raise ValueError(f"{place} {has}; known: object, array, {', '.join(_LEAF_TYPES)}, or an enum")


def type_of(schema: Schema) -> str:
    """The type that a part of a form has, null beside it left out; "" when it names none."""
    kinds = schema.get("type", "")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), "")
    if not kinds and "properties" in schema:
        return "object"
    return str(kinds)


def answer_schema(schema: Schema, labels: Sequence[str]) -> dict[str, Any]:
    """
    The JSON Schema of the answer: strict, each leaf with the label of its page.

    Args:
        schema: of the form, checked.
        labels: of the pages shown.
    """
    kind = type_of(schema)
    note = {"description": schema["description"]} if isinstance(schema.get("description"), str) else {}
    if kind == "object":
        parts = {name: answer_schema(part, labels) for name, part in schema["properties"].items()}
        return _strict(parts) | note
    if kind == "array":
        return {"type": "array", "items": answer_schema(schema["items"], labels)} | note
    value: dict[str, Any] = (
        {"enum": [*schema["enum"], None]} if "enum" in schema else {"type": [kind, "null"]}
    )
    return _strict({"value": value | note, "page": {"enum": [*labels, None]}})


def leaves_of(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every leaf of a form with its path, such as "lines[].amount"."""
    kind = type_of(schema)
    if kind == "object":
        for name, part in schema["properties"].items():
            yield from leaves_of(part, f"{path}.{name}" if path else name)
    elif kind == "array":
        yield from leaves_of(schema["items"], f"{path}[]")
    else:
        yield path, schema


def words_about(path: str, schema: Schema) -> str:
    """What a leaf is about, in words: its name, title and description."""
    name = " ".join(path.replace("[]", " ").replace("_", " ").replace(".", " ").split())
    notes = (schema.get(key) for key in ("title", "description"))
    return " ".join([name, *(note for note in notes if isinstance(note, str))])


def _check_object(schema: Schema, place: str, depth: int) -> None:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        raise ValueError(f"{place} is an object without properties")
    for name, part in properties.items():
        check_schema(part, f"{name!r} of {place}", depth + 1)
    required = schema.get("required", [])
    if not isinstance(required, list):
        raise ValueError(f"required of {place} must be a list of names")  # noqa: TRY004 -- as above
    strange = [name for name in required if name not in properties]
    if strange:
        raise ValueError(f"{place} requires {strange[0]!r}, which is not among its properties")


def _strict(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | bool) or value is None


def _hint(key: str) -> str:
    close = difflib.get_close_matches(key, _USED | _NOTES, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(_USED | _NOTES))}"
