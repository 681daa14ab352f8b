"""
Configuration as a value: defaults in code, a profile's YAML on top, the caller's overrides on top of that.

What ragvl does is decided here alone; only the terminal's own variables are read elsewhere, by the command line.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

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
    """
    The text lane.

    Attributes:
        encoder: of passages, a row of the text encoder table.
        query_encoder: of queries, when it is another one.
        space: a name for the space that both share; needed for a query encoder of its own, by which it is told from
            one that does not fit.
    """

    encoder: str = "granite-embedding-30m-english"
    query_encoder: str | None = None
    space: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.query_encoder and not self.space:
            raise ValueError(
                "text.query_encoder needs text.space: a name for the space that both encoders share"
            )
        return self


class TierConfig(_Settings):
    """
    How a bag of page vectors is stored and searched: coarse for all pages, finer for those that are left.

    Attributes:
        coarse_vectors: pooled vectors a page that every query is compared with, in 512 bytes a page: 16 have 256 bits each.
        fine_vectors: pooled vectors a page in 8 bits a dimension.
        page_vectors: vectors a page kept for the last comparison, 8 bits a dimension; None keeps all.
        coarse_candidates: pages that the first comparison leaves, or one in 200 of all if that is more.
        fine_candidates: pages that the second one leaves.
    """

    coarse_vectors: int = Field(16, ge=1, le=256)
    fine_vectors: int = Field(64, ge=1, le=1024)
    page_vectors: int | None = Field(None, ge=1)
    coarse_candidates: int = Field(2000, ge=10)
    fine_candidates: int = Field(200, ge=10)


class ImageConfig(_Settings):
    """
    The image lane: page images and their text, as a model that sees them embeds them.

    Attributes:
        encoder: a row of the page encoder table; None leaves the lane out.
        model: a model on the hub, or a folder.
        revision: of a model on the hub: a branch, tag or commit.
        query_model: encodes queries when it is another one of the same space; the page model is then needed only to index.
        space: a name for the space that both share; needed for a query model of its own.
        device: "auto" takes a GPU where torch finds one; else "cpu", "cuda", "cuda:1", "mps".
        precision: of the weights; "auto" is float32 on a CPU, bfloat16 on a GPU that has it, else float16.
        attention: "auto" takes flash-attn where it is installed and the device has it, else torch's own.
        dpi: resolution that pages are drawn at.
        max_side_px: pages are drawn with at most so many pixels on the longer side; fewer make the encoder quicker.
        batch_pixels: pages are encoded together up to so many pixels.
        text: add the vectors of the page's text to those of its image.
        max_text_tokens: of a page's text, in tokens of the model.
        dimension: cut vectors to their first so many numbers (Matryoshka), for models trained for it; None keeps all.
        tiers: of encoders with many vectors a page.
    """

    encoder: str | None = None
    model: str = ""
    revision: str | None = None
    query_model: str | None = None
    space: str = ""
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    attention: Literal["auto", "flash_attention_2", "sdpa", "eager"] = "auto"
    dpi: float = Field(144.0, ge=36, le=600)
    max_side_px: int = Field(1536, ge=256, le=8192)
    batch_pixels: int = Field(8_000_000, ge=100_000)
    text: bool = True
    max_text_tokens: int = Field(2048, ge=1)
    dimension: int | None = Field(None, ge=8)
    tiers: TierConfig = TierConfig()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.encoder and not self.model:
            raise ValueError("image.encoder needs image.model: a model on the hub, or a folder")
        if self.query_model and not self.space:
            raise ValueError(
                "image.query_model needs image.space: a name for the space that both models share"
            )
        return self


class DeviceConfig(_Settings):
    """
    The memory that models may take; they leave it in the order in which they were used last.

    Attributes:
        memory_mb: of the device, MiB, weights and working memory together; None takes what is free when the first
            model is loaded, less a reserve.
        host_memory_mb: of its host, MiB, for models that were moved there to make room; None takes half of what is
            free, 0 has them loaded from disk again. A device that shares its host's memory has no use for it.
    """

    memory_mb: int | None = Field(None, ge=1)
    host_memory_mb: int | None = Field(None, ge=0)


class RerankConfig(_Settings):
    """
    A second look at the best pages, by a model that reads each together with the query.

    Attributes:
        model: a model on the hub, or a folder; None leaves the second look out.
        name: a row of the reranker table, that `model` is one for.
        revision: of a model on the hub: a branch, tag or commit.
        kind: what the model is shown of a page: its passages, of which the best counts ("text"), its image, or its
            text and image together ("both").
        candidates: pages that it looks at.
        passages: of a page, for "text": those that the lanes found first.
        budget_s: time for one query; when it is over before all candidates have a score, they stay as they were.
        device: "auto" takes a GPU where torch finds one; else "cpu", "cuda", "cuda:1", "mps".
        precision: of the weights; "auto" is float32 on a CPU, bfloat16 on a GPU that has it, else float16.
        max_length: of query and page together, in tokens of the model; None takes what it was made for.
        batch_size: pairs that are read at once.
        dpi: resolution that pages are drawn at.
    """

    model: str | None = None
    name: str = "cross-encoder"
    revision: str | None = None
    kind: Literal["text", "image", "both"] = "text"
    candidates: int = Field(50, ge=2, le=1000)
    passages: int = Field(4, ge=1)
    budget_s: float = Field(10.0, gt=0)
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    max_length: int | None = Field(None, ge=16)
    batch_size: int = Field(16, ge=1)
    dpi: int = Field(110, ge=36, le=600)


class RetrievalConfig(_Settings):
    """
    How the lanes are fused.

    Attributes:
        fusion: "convex" combines normalised scores; "ranks" combines ranks, for encoders whose scores have no scale.
        lexical_weight, text_weight, image_weight: what each lane counts, relative to the sum of those that there are.
        other_language_weight: what is left of a page's lexical share when it is in another language than the query;
            None takes 0.3 where there is an image lane, else 1: the text encoder in the package reads English only,
            so that names and numbers are all that finds a page in another language. Set it with an encoder that
            reads many.
        document_weight: what the score of a page's document adds.
        candidates: pages that each lane contributes.
        passages_per_hit: best passages shown with a hit.
        rerank: see `RerankConfig`.
    """

    fusion: Literal["convex", "ranks"] = "convex"
    lexical_weight: float = Field(0.5, ge=0, le=1)
    text_weight: float = Field(0.5, ge=0, le=1)
    image_weight: float = Field(1.0, ge=0, le=1)
    other_language_weight: float | None = Field(None, ge=0, le=1)
    document_weight: float = Field(0.3, ge=0, le=1)
    candidates: int = Field(200, ge=10)
    passages_per_hit: int = Field(3, ge=1)
    rerank: RerankConfig = RerankConfig()

    @model_validator(mode="after")
    def _searches(self) -> Self:
        if self.lexical_weight == self.text_weight == 0:
            raise ValueError(
                "lexical_weight and text_weight must not both be 0: not every index has an image lane"
            )
        return self


class ImageCostConfig(_Settings):
    """
    How a served model counts the tokens of a picture.

    Attributes:
        formula: "nemotron" cuts tiles of 512 pixels and adds a thumbnail, 256 tokens each; "patch" takes the picture
            at its own size, one token a square of `patch_px` (Qwen-VL and its kin); "openai" counts tiles of 512.
        max_tiles: of "nemotron": tiles of one picture, the thumbnail not counted.
        patch_px: of "patch": edge of the square that becomes one token, pixels (28 for Qwen2-VL and 2.5, 32 for 3).
        min_pixels, max_pixels: of "patch": the picture is scaled to lie between them.
        detail: of "openai": "low" has one size for all pictures.
    """

    formula: Literal["nemotron", "patch", "openai"] = "nemotron"
    max_tiles: int = Field(12, ge=1, le=64)
    patch_px: int = Field(28, ge=7, le=128)
    min_pixels: int = Field(3136, ge=1)
    max_pixels: int = Field(12_845_056, ge=1)
    detail: Literal["low", "high"] = "high"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_pixels > self.max_pixels:
            raise ValueError("min_pixels must not be more than max_pixels")
        return self


class EndpointTimeouts(_Settings):
    """
    How long a served model is waited for, seconds.

    Attributes:
        connect_s: for the connection, the name's address and encryption included.
        first_token_s: from the request to the first token; the server reads the pages in this time.
        idle_s: between tokens; a sign of life without a token does not count.
        total_s: for the whole answer, repeated attempts included.
    """

    connect_s: float = Field(10.0, gt=0)
    first_token_s: float = Field(180.0, gt=0)
    idle_s: float = Field(60.0, gt=0)
    total_s: float = Field(900.0, gt=0)


class ThinkingConfig(_Settings):
    """
    Whether a served model thinks before it answers; thoughts are never part of the answer.

    Attributes:
        mode: "auto" leaves it to the server; text is then shown only when it is certain to be no thought.
        switch: how the model is told: "system" writes /think or /no_think into the system message (Nemotron, Qwen3),
            "template" sends `chat_template_kwargs: {enable_thinking: ...}`, "effort" sends `reasoning_effort`.
        effort: of "effort": how much, when it thinks.
        budget_tokens: a thought longer than that is ended, and the question asked again without thinking.
    """

    mode: Literal["on", "off", "auto"] = "off"
    switch: Literal["system", "template", "effort"] = "system"
    effort: Literal["minimal", "low", "medium", "high"] = "medium"
    budget_tokens: int = Field(4096, ge=1)

    @field_validator("mode", mode="before")
    @classmethod
    def _yaml_word(cls, value: object) -> object:
        return _unbooled(value)


class EndpointConfig(_Settings):
    """
    A served model that speaks the chat completions protocol: vLLM, NIM, llama.cpp, Ollama, OpenRouter and others.

    Attributes:
        base_url: up to and with "/v1"; it may hold no user name, password, query or fragment.
        model: as the server names it; "" takes the only one that it offers.
        api_key_env: name of the environment variable that holds the key; "" sends none. The key is read from there
            when it is needed, and is neither stored nor logged.
        context_tokens: what question, pages and answer may take together.
        sees_images: whether pictures of pages are sent; a text-only model is given text.
        image_cost, thinking, timeouts: see there.
        temperature: 0 is the most reproducible; None leaves it to the server.
        max_answer_tokens: the answer is cut there; thoughts are counted apart.
        answer_limit_field: what the server calls that limit.
        retries: attempts after the first, when the server could not be reached or is overloaded.
        extra: fields added to each request, such as `{"top_p": 0.95}`; null leaves out one of ours. Never put keys here.
    """

    base_url: str = "http://127.0.0.1:8000/v1"
    model: str = ""
    api_key_env: str = ""
    context_tokens: int = Field(32_768, ge=512)
    sees_images: bool = True
    image_cost: ImageCostConfig = ImageCostConfig()
    thinking: ThinkingConfig = ThinkingConfig()
    timeouts: EndpointTimeouts = EndpointTimeouts()
    temperature: float | None = Field(0.0, ge=0, le=2)
    max_answer_tokens: int = Field(1024, ge=16)
    answer_limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    retries: int = Field(3, ge=0, le=10)
    extra: Mapping[str, Any] = {}

    @field_validator("base_url")
    @classmethod
    def _is_plain(cls, value: str) -> str:
        # The value is kept out of the messages: it may hold a password.
        try:
            parts = urlsplit(value)
            known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            known = False
        if not known:
            raise ValueError('it must look like "http://127.0.0.1:8000/v1"')
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(
                "it may hold no user name, password, query or fragment; a key belongs into the environment variable "
                "that api_key_env names"
            )
        return value.rstrip("/")

    @field_validator("api_key_env")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            raise ValueError("it must be the name of an environment variable, not the key itself")
        return value

    @field_validator("extra")
    @classmethod
    def _leaves_ours(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        taken = {"messages", "model", "stream"} & value.keys()
        if taken:
            raise ValueError(f"{min(taken)!r} is not for extra")
        return value

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.max_answer_tokens >= self.context_tokens:
            raise ValueError("max_answer_tokens must leave room for pages in context_tokens")
        return self


class LocalThinking(_Settings):
    """
    Whether a model that runs here thinks before it answers; thoughts are never part of the answer.

    Attributes:
        mode: "on" or "off".
        budget_tokens: of a thought; one that is longer is closed, and the model answers.
    """

    mode: Literal["on", "off"] = "off"
    budget_tokens: int = Field(2048, ge=1)

    @field_validator("mode", mode="before")
    @classmethod
    def _yaml_word(cls, value: object) -> object:
        return _unbooled(value)


class NemotronConfig(_Settings):
    """
    Nemotron Nano 12B v2 VL, run in this process.

    Attributes:
        model: a folder, or a model in the hub's cache on this machine; nothing is downloaded.
        revision: of a model of the hub: a branch, tag or commit.
        device: "auto" takes a GPU where torch finds one; else "cpu", "cuda", "cuda:1".
        precision: of the weights. "auto" is float32 on a CPU and bfloat16 on a GPU, where the matrices of an FP8
            checkpoint stay in 8 bits if it multiplies them itself; "fp8" insists on that.
        context_tokens: what question, pages, thought and answer may take; memory for them is held.
        max_answer_tokens: the answer is cut there; thoughts are counted apart.
        max_tiles: tiles of 512 pixels that a page is cut into at most, the thumbnail not counted, 256 tokens each; None
            for what the checkpoint says. Fewer are quicker and read small print less well.
        thinking: see `LocalThinking`.
        temperature: 0 takes the likeliest token each time.
        top_p: tokens are drawn from the likeliest that have this probability together.
        seed: of the draws.
        page_cache_mb: what seen pages may take on disk, beside the index, MiB; 0 keeps none. A page takes up to 34 MB.
        prefix_cache_mb: what the model's memory of beginnings of prompts may take, MiB of the host's memory; as much of
            the device's is needed while a prompt is read. 0 keeps none.
    """

    model: str = "nvidia/NVIDIA-Nemotron-Nano-12B-v2-VL-BF16"
    revision: str | None = None
    device: str = "auto"
    precision: Literal["auto", "bfloat16", "fp8", "float32"] = "auto"
    context_tokens: int = Field(32_768, ge=512, le=131_072)
    max_answer_tokens: int = Field(1024, ge=16)
    max_tiles: int | None = Field(None, ge=1, le=64)
    thinking: LocalThinking = LocalThinking()
    temperature: float = Field(0.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int = Field(0, ge=0)
    page_cache_mb: int = Field(4096, ge=0)
    prefix_cache_mb: int = Field(2048, ge=0)

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        thought = self.thinking.budget_tokens if self.thinking.mode == "on" else 0
        if self.max_answer_tokens + thought >= self.context_tokens:
            raise ValueError(
                "max_answer_tokens and thinking.budget_tokens must leave room for pages in context_tokens"
            )
        return self


class GeneratorConfig(_Settings):
    """
    What writes answers.

    Attributes:
        name: a row of the generator table.
        context_pages: pages of the search that it is given.
        refuse_below: support under which it refuses; None takes the calibrated one.
        endpoint: of the generator "endpoint".
        nemotron: of the generator "nemotron".
    """

    name: str = "extractive"
    context_pages: int = Field(5, ge=1)
    refuse_below: float | None = Field(None, ge=0, le=1)
    endpoint: EndpointConfig = EndpointConfig()
    nemotron: NemotronConfig = NemotronConfig()


class Config(_Settings):
    """Everything that decides what ragvl does, resolved once."""

    profile: str = "embedded"
    reading: ReadingConfig = ReadingConfig()
    passages: PassageConfig = PassageConfig()
    text: TextConfig = TextConfig()
    image: ImageConfig = ImageConfig()
    device: DeviceConfig = DeviceConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    generator: GeneratorConfig = GeneratorConfig()


def _unbooled(value: object) -> object:
    """The word that was meant: YAML reads a bare on or off as a truth value."""
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


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


def secret_from_environment(variable: str) -> str | None:
    """The value of an environment variable that a setting names, such as a key; None when it is unset or empty."""
    return (os.environ.get(variable) or "").strip() or None


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
        return f"setting {where!r} in profile {profile!r}: {first['msg'].removeprefix('Value error, ')}"
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
