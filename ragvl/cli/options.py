"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "FromOption",
    "IndexOption",
    "JsonOption",
    "OutOption",
    "PathOption",
    "ProfileOption",
    "SetOption",
    "ShowOption",
    "TypeOption",
    "UntilOption",
    "read_filters",
    "read_settings",
]


def _check_date(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter(f"{value!r} is not a date; write it as 2018-01-31.") from None
    return value


IndexOption = Annotated[
    Path | None,
    typer.Option(
        "--index",
        metavar="DIR",
        help="The index; else what RAGVL_INDEX names, else .ragvl here or in the nearest folder above.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON document to stdout.")]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="A profile or YAML file; else the one of the index."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one setting, such as reading.workers=1."),
]
PathOption = Annotated[
    list[str] | None,
    typer.Option("--path", metavar="GLOB", help="Only documents at such paths; more than once: any of them."),
]
TypeOption = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="GLOB", help="Only such media types: application/pdf, 'image/*'."),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", callback=_check_date, help="Only files changed on or after it."),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", callback=_check_date, help="Only files changed on or before it."),
]
ShowOption = Annotated[bool, typer.Option("--show", help="Show the places on their pages, in the browser.")]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the page of --show here and do not open it."),
]


def read_filters(
    path: Sequence[str] | None, media_type: Sequence[str] | None, from_: str | None, until: str | None
) -> dict[str, Any] | None:
    """Put the filters that were given into the form that `Library.search` takes; None when there are none."""
    given = {
        "path": list(path or ()),
        "media_type": list(media_type or ()),
        "modified_from": from_,
        "modified_until": until,
    }
    return {key: value for key, value in given.items() if value} or None


def read_settings(assignments: Sequence[str] | None) -> dict[str, Any]:
    """
    Read `reading.ocr.dpi=200` as `{"reading": {"ocr": {"dpi": 200}}}`; values are YAML.

    Raises:
        typer.BadParameter: no `=`, a value that is no YAML, or a setting that is given a value and parts.
    """
    settings: dict[str, Any] = {}
    for assignment in assignments or ():
        key, equals, value = assignment.partition("=")
        if not (equals and all(key.split("."))):
            raise typer.BadParameter(
                f"--set {assignment!r}: write it as KEY=VALUE, such as reading.workers=1."
            )
        *sections, name = key.split(".")
        place = settings
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise typer.BadParameter(f"--set {assignment!r}: {section!r} was given a value before.")
        place[name] = _yaml_value(assignment, value)
    return settings


def _yaml_value(assignment: str, value: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        raise typer.BadParameter(f"--set {assignment!r}: the value is not valid YAML.") from None
