"""What gpu_check.py found, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["markdown"]


def markdown(found: Mapping[str, Any]) -> str:
    """Return a page: the machine, then each section with its tables, or why it did not run."""
    lines = [
        "# GPU check",
        "",
        "Written by `python scripts/gpu_check.py`; the numbers are in `gpu-check.json`.",
        "",
    ]
    lines += _pairs(found["environment"])
    for name, section in found["sections"].items():
        lines += ["", f"## {name}: {section['status']}", ""]
        if section.get("reason"):
            lines += [section["reason"], ""]
        lines += _body(section.get("result") or {})
    return "\n".join(lines) + "\n"


def _body(result: Mapping[str, Any]) -> list[str]:
    lines = _pairs({name: value for name, value in result.items() if name not in ("rows", "operations")})
    if "rows" in result:
        lines += ["", *_table([_flat(row) for row in result["rows"]])]
    for operation, row in result.get("operations", {}).items():
        lines += ["", f"**{operation}**", ""]
        lines += _pairs({name: value for name, value in row.items() if name != "samples"})
        samples = row.get("samples", {})
        lines += ["", *_table([{"sample": name, **values} for name, values in samples.items()])]
    return lines


def _pairs(values: Mapping[str, Any]) -> list[str]:
    return [f"- {name.replace('_', ' ')}: {_shown(value)}" for name, value in values.items()]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [
        f"| {' | '.join(name.replace('_', ' ') for name in columns)} |",
        f"| {' | '.join('---' for _ in columns)} |",
    ]
    lines += [f"| {' | '.join(_shown(row.get(name, '-')) for name in columns)} |" for row in rows]
    return lines


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= {f"{name} {inner}": each for inner, each in value.items() if inner != "count"}
        else:
            flat[name] = value
    return flat


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
    return str(value).replace("|", "/")
