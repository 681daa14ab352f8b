"""
Configuration as a value: defaults in code, a profile's YAML on top, the caller's overrides on top of that.

What ragvl does is decided here alone; only the terminal's own variables are read elsewhere, by the command line.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragvl.errors import ConfigError

INDEX_FOLDER = ".ragvl"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OcrConfig(_Settings):
    """
    When and how pages are read by OCR.

    Attributes:
        pages: read pages that have no usable text layer.
        figures: read large raster images on pages that have one.
        dpi: resolution that pages are drawn at for OCR, dots per inch.
        min_figure_share: the smallest figure read, as a share of its page's area.
        engine: "auto" takes OpenVINO where it is installed, else ONNX Runtime.
    """

    pages: bool = True
    figures: bool = True
    dpi: float = Field(150.0, ge=72, le=600)
    min_figure_share: float = Field(0.04, ge=0, le=1)
    engine: Literal["auto", "openvino", "onnxruntime"] = "auto"


class ReadingConfig(_Settings):
    """
    How files are read, each in a process of its own kind.

    Attributes:
        workers: reading processes; 0 is one a core.
        worker_memory_mb: what one of them may take, MiB.
        document_timeout_s: computing time allowed for opening a document; four times as much by the clock.
        page_timeout_s: the same for reading one page.
        max_file_mb: larger files are `too_large`, MiB.
        max_pixels: pages are drawn with at most so many pixels, images may hold so many.
        ocr: see `OcrConfig`.
    """

    workers: int = Field(0, ge=0, le=256)
    worker_memory_mb: int = Field(2048, ge=256)
    document_timeout_s: float = Field(60.0, gt=0)
    page_timeout_s: float = Field(30.0, gt=0)
    max_file_mb: int = Field(2048, gt=0)
    max_pixels: int = Field(40_000_000, ge=1_000_000)
    ocr: OcrConfig = OcrConfig()


class PassageConfig(_Settings):
    """
    How pages are cut into passages.

    Attributes:
        target_words: a passage is closed once it holds so many words.
        max_words: no passage holds more words.
    """

    target_words: int = Field(120, ge=10)
    max_words: int = Field(220, ge=20)


class TextConfig(_Settings):
    """The text lane: the encoder of passages, and that of queries when it is another one of the same space."""

    encoder: str = "granite-embedding-30m-english"
    query_encoder: str | None = None


class RetrievalConfig(_Settings):
    """
    How the lanes are fused.

    Attributes:
        lexical_weight, text_weight: shares in the convex combination of normalised page scores.
        document_weight: what the score of a page's document adds.
        candidates: pages that each lane contributes.
        passages_per_hit: best passages shown with a hit.
    """

    lexical_weight: float = Field(0.5, ge=0, le=1)
    text_weight: float = Field(0.5, ge=0, le=1)
    document_weight: float = Field(0.3, ge=0, le=1)
    candidates: int = Field(200, ge=10)
    passages_per_hit: int = Field(3, ge=1)


class GeneratorConfig(_Settings):
    """
    What writes answers.

    Attributes:
        name: a row of the generator table.
        context_pages: pages of the search that it is given.
        refuse_below: support under which it refuses; None takes the calibrated one.
    """

    name: str = "extractive"
    context_pages: int = Field(5, ge=1)
    refuse_below: float | None = Field(None, ge=0, le=1)


class Config(_Settings):
    """Everything that decides what ragvl does, resolved once."""

    profile: str = "embedded"
    reading: ReadingConfig = ReadingConfig()
    passages: PassageConfig = PassageConfig()
    text: TextConfig = TextConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    generator: GeneratorConfig = GeneratorConfig()


def profiles() -> tuple[str, ...]:
    """Names of the presets in `configs/`, sorted."""
    return tuple(sorted(f.name.removesuffix(".yaml") for f in _presets() if f.name.endswith(".yaml")))


def load_config(profile: str = "embedded", overrides: Mapping[str, Any] | None = None) -> Config:
    """
    Resolve a configuration.

    Args:
        profile: the name of a preset, or the path of a YAML file.
        overrides: nested mapping laid over the preset, such as `{"reading": {"workers": 1}}`.

    Raises:
        ConfigError: unknown profile, unknown setting (with the nearest known one) or a value out of range.
    """
    settings = merge_settings(_read_preset(profile), overrides or {})
    settings["profile"] = profile
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(_explain(error, profile)) from None


def merge_settings(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Lay nested settings over others."""
    merged = dict(base)
    for key, value in top.items():
        under = merged.get(key)
        nested = isinstance(value, Mapping) and isinstance(under, Mapping)
        merged[key] = merge_settings(under, value) if nested else value  # type: ignore[arg-type] # checked by `nested`
    return merged


def index_from_environment() -> Path | None:
    """The index that `RAGVL_INDEX` names, if any."""
    value = os.environ.get("RAGVL_INDEX")
    return Path(value) if value else None


def _presets() -> list[Any]:
    return list(resources.files("ragvl.configs").iterdir())


def _read_preset(profile: str) -> dict[str, Any]:
    if profile.endswith((".yaml", ".yml")):
        path = Path(profile)
        if not path.is_file():
            raise ConfigError(f"profile file {profile!r} does not exist")
        text, origin = path.read_text(encoding="utf-8"), profile
    elif profile in profiles():
        preset = resources.files("ragvl.configs") / f"{profile}.yaml"
        text, origin = preset.read_text(encoding="utf-8"), f"{profile}.yaml"
    else:
        raise ConfigError(f"no profile named {profile!r}{_nearest(profile, profiles())}")
    try:
        loaded = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin} is not valid YAML: {error}") from None
    if not isinstance(loaded, dict):
        raise ConfigError(f"{origin} must hold a mapping of settings")
    return loaded


def _explain(error: ValidationError, profile: str) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"setting {where!r} in profile {profile!r}: {first['msg']}"
    known = _fields_at(first["loc"][:-1])
    return f"unknown setting {where!r} in profile {profile!r}{_nearest(str(first['loc'][-1]), known)}"


def _fields_at(location: tuple[int | str, ...]) -> tuple[str, ...]:
    model: type[BaseModel] = Config
    for part in location:
        annotation = model.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return ()
        model = annotation
    return tuple(model.model_fields)


def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"
