"""What an index records of how it was made, and the refusal when that differs from what is asked now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ragvl.config import Config
from ragvl.errors import IndexMismatchError
from ragvl.protocols import TextEncoder


def manifest(config: Config, encoder: TextEncoder) -> dict[str, Any]:
    """Everything that decides what an index holds, by dotted name."""
    ocr = config.reading.ocr
    return {
        **encoder_manifest(encoder),
        "reading.ocr.pages": ocr.pages,
        "reading.ocr.figures": ocr.figures,
        "reading.ocr.dpi": ocr.dpi,
        "reading.ocr.min_figure_share": ocr.min_figure_share,
        "passages.target_words": config.passages.target_words,
        "passages.max_words": config.passages.max_words,
    }


def encoder_manifest(encoder: TextEncoder) -> dict[str, Any]:
    """What must be the same for all vectors of an index, and for the queries that are compared with them."""
    return {
        "text.encoder": encoder.name,
        "text.fingerprint": encoder.fingerprint,
        "text.dimension": encoder.dimension,
    }


def recorded_overrides(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides under which `load_config` gives the configuration that an index was made with."""
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        section, *rest = name.split(".")
        if section not in {"reading", "passages"}:
            continue
        place = nested.setdefault(section, {})
        for part in rest[:-1]:
            place = place.setdefault(part, {})
        place[rest[-1]] = value
    nested["text"] = {"encoder": settings["text.encoder"]}
    return nested


def check_manifest(settings: Mapping[str, Any], wanted: Mapping[str, Any], where: str) -> None:
    """
    Compare what an index records with what is wanted.

    Raises:
        IndexMismatchError: naming the first field that differs, both values, and the remedy.
    """
    for name, value in wanted.items():
        if settings.get(name) != value:
            raise IndexMismatchError(
                f"{where}: {name} is {settings.get(name)!r} in the index and {value!r} now. Use the settings that "
                "the index was made with, or make a new index with --index."
            )
