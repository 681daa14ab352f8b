"""What an index records of how it was made, and the refusal when that differs from what is asked now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ragvl.config import Config, ImageConfig, TextConfig
from ragvl.errors import IndexMismatchError
from ragvl.protocols import PageEncoder, TextEncoder

_READING_SECTIONS = {"reading", "passages"}
_PLACES = {
    "image.model",
    "image.revision",
}  # where the model lies here; the fingerprint tells whether it is the same
_IMAGE_SETTINGS = ("encoder", "model", "revision", "space", "dpi", "max_side_px", "text", "max_text_tokens")


def manifest(config: Config, encoder: TextEncoder, pages: PageEncoder | None) -> dict[str, Any]:
    """
    Everything that decides what an index holds, by dotted name.

    Args:
        config: resolved.
        encoder: of passages.
        pages: of the image lane; None in an index without it.
    """
    ocr = config.reading.ocr
    return {
        **encoder_manifest(encoder),
        "text.space": config.text.space or encoder.fingerprint,
        **({"image.encoder": None} if pages is None else _image_manifest(config.image, pages)),
        "reading.ocr.pages": ocr.pages,
        "reading.ocr.figures": ocr.figures,
        "reading.ocr.dpi": ocr.dpi,
        "reading.ocr.min_figure_share": ocr.min_figure_share,
        "passages.target_words": config.passages.target_words,
        "passages.max_words": config.passages.max_words,
    }


def encoder_manifest(encoder: TextEncoder) -> dict[str, Any]:
    """What must be the same for all passages of an index."""
    return {
        "text.encoder": encoder.name,
        "text.fingerprint": encoder.fingerprint,
        "text.dimension": encoder.dimension,
    }


def query_manifest(config: TextConfig, encoder: TextEncoder) -> dict[str, Any]:
    """What must be the same for the queries that passages are compared with: the encoder, or else the space."""
    if config.query_encoder is None:
        return encoder_manifest(encoder)
    return {"text.space": config.space, "text.dimension": encoder.dimension}


def page_query_manifest(encoder: PageEncoder) -> dict[str, Any]:
    """What must be the same for the queries that the pages of the image lane are compared with."""
    return {
        "image.space": encoder.space,
        "image.dimension": encoder.dimension,
        "image.late_interaction": encoder.late_interaction,
    }


def recorded_overrides(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides under which `load_config` gives the configuration that an index was made with."""
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        section, *rest = name.split(".")
        if section not in _READING_SECTIONS:
            continue
        place = nested.setdefault(section, {})
        for part in rest[:-1]:
            place = place.setdefault(part, {})
        place[rest[-1]] = value
    nested["text"] = {"encoder": settings["text.encoder"]}
    if settings["text.space"] != settings["text.fingerprint"]:
        nested["text"]["space"] = settings["text.space"]
    if settings.get("image.encoder"):
        nested["image"] = {name: settings[f"image.{name}"] for name in _IMAGE_SETTINGS}
        nested["image"] |= {"dimension": settings["image.cut_to"], "tiers": settings["image.tiers"]}
        if nested["image"]["space"] == settings["image.fingerprint"]:
            del nested["image"]["space"]
    return nested


def _image_manifest(config: ImageConfig, encoder: PageEncoder) -> dict[str, Any]:
    of_config = config.model_dump(include=set(_IMAGE_SETTINGS))
    shape = config.tiers.model_dump(include={"coarse_vectors", "fine_vectors", "page_vectors"})
    return {
        **{f"image.{name}": value for name, value in of_config.items()},
        **page_query_manifest(encoder),
        "image.fingerprint": encoder.fingerprint,
        "image.cut_to": config.dimension,
        "image.tiers": shape,
    }


def check_manifest(settings: Mapping[str, Any], wanted: Mapping[str, Any], where: str) -> None:
    """
    Compare what an index records with what is wanted.

    Raises:
        IndexMismatchError: naming the first field that differs, both values, and the remedy.
    """
    for name, value in wanted.items():
        if settings.get(name) != value and name not in _PLACES:
            raise IndexMismatchError(
                f"{where}: {name} is {settings.get(name)!r} in the index and {value!r} now. Use the settings that "
                "the index was made with, or make a new index with --index."
            )
