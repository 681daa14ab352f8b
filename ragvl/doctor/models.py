"""Which models the configuration asks for, what they take, and what would fit on this machine."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ragvl
from ragvl.doctor.findings import Check, Verdict
from ragvl.doctor.gpus import DriverSilentError, gpus
from ragvl.doctor.published import PUBLISHED, PublishedModel, published
from ragvl.doctor.weights import find_weights
from ragvl.memory import host_free_bytes, readable, spare

if TYPE_CHECKING:
    from ragvl.config import Config, ImageConfig, RerankConfig

_BYTES_PER_FLOAT = {"float32": 4, "bfloat16": 2, "float16": 2}
_NO_MODEL = {"extractive": "needs no model"}


@dataclass(frozen=True, slots=True)
class _Device:
    """What models compute on, in words, what they may take of it, and the precision that `auto` means there."""

    words: str
    models_bytes: int
    precision: str


def models(index: Path | None) -> Iterator[Check]:
    """What models may take, what the configured ones take, and which known ones would fit."""
    config = _config(index)
    device = _device(config.device.memory_mb)
    yield Check("memory", Verdict.OK, f"{device.words}: models may take {readable(device.models_bytes)}")
    yield from _text_models(config)
    yield from _page_models(config, device)
    yield from _reranker(config, device)
    yield _generator(config, device)
    for known in PUBLISHED:
        yield Check("fits", Verdict.OK, f"{known.name}: {_which_fit(known, device)}")


def _config(index: Path | None) -> Config:
    """The configuration of the index; that of the default profile where there is none that can be read."""
    # Late: they need packages that may be missing.
    from ragvl.config import load_config

    try:
        from ragvl.library import find_index, open

        with open(index or find_index()) as library:
            return library.config
    except Exception:  # noqa: BLE001 -- the look at the index tells what is wrong with it
        return load_config()


def _device(memory_mb: int | None) -> _Device:
    try:
        found = [one for one in gpus() if one.free_bytes]
    except DriverSilentError:
        found = []
    if found:
        first = found[0]
        words = f"{first.name}, {readable(first.free_bytes)} of {readable(first.total_bytes)} free"
        device = _Device(words, spare(first.free_bytes), "bfloat16")
    elif sys.platform == "darwin" and platform.machine() == "arm64":
        device = _sharing_the_host("Apple GPU", "bfloat16")
    else:
        device = _sharing_the_host("no GPU", "float32")
    if memory_mb is None:
        return device
    return _Device(f"{device.words}, device.memory_mb {memory_mb:,}", memory_mb << 20, device.precision)


def _sharing_the_host(words: str, precision: str) -> _Device:
    free = host_free_bytes()
    return _Device(f"{words}, {readable(free)} of the host's memory free", spare(free), precision)


def _text_models(config: Config) -> Iterator[Check]:
    for name in dict.fromkeys((config.text.encoder, config.text.query_encoder or config.text.encoder)):
        folder = Path(ragvl.__file__).parent / "indexers" / "models" / name
        if folder.is_dir():
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            yield Check("model", Verdict.OK, f"text encoder {name}: {readable(size)}, on the processor")
        else:
            yield Check("model", Verdict.OK, f"text encoder {name}: not one of the package's; size not known")


def _page_models(config: Config, device: _Device) -> Iterator[Check]:
    image = config.image
    if image.encoder is None:
        yield Check("model", Verdict.OK, "page encoder: none, the image lane is off")
        return
    for model in dict.fromkeys((image.model, image.query_model or image.model)):
        yield _placed("page encoder", model, image, device)


def _reranker(config: Config, device: _Device) -> Iterator[Check]:
    rerank = config.retrieval.rerank
    if rerank.model:
        yield _placed("reranker", rerank.model, rerank, device)


def _placed(role: str, model: str, settings: ImageConfig | RerankConfig, device: _Device) -> Check:
    """Size a model on the device and in the precision that it is configured for."""
    if settings.device == "cpu":
        device = _sharing_the_host("the processor", "float32")
    precision = device.precision if settings.precision == "auto" else settings.precision
    return _sized(role, model, settings.revision, precision, device)


def _generator(config: Config, device: _Device) -> Check:
    name = config.generator.name
    if name in _NO_MODEL:
        return Check("model", Verdict.OK, f"generator {name}: {_NO_MODEL[name]}")
    if name == "endpoint":
        where = config.generator.endpoint.base_url
        return Check(
            "model", Verdict.OK, f"generator endpoint: served at {where}; takes no memory of this process"
        )
    model = getattr(getattr(config.generator, name, None), "model", "")
    if not model:
        return Check("model", Verdict.OK, f"generator {name}: size not known")
    return _sized(f"generator {name}", model, None, "bfloat16", device)


def _sized(role: str, model: str, revision: str | None, precision: str, device: _Device) -> Check:
    """Say what a model takes: measured when it is on this machine, else as published."""
    try:
        measured = find_weights(model, revision)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Check("model", Verdict.MISSING, f"{role} {model}: {error}", "download the model again")
    known = published(model)
    working = known.working_bytes if known else 10**9
    if measured:
        size, how = measured.loaded_bytes(_BYTES_PER_FLOAT[precision]), f"in {precision}"
    elif known:
        label, size = _closest(known, model, precision)
        how = f"in {label}, as published; not on this machine yet"
    else:
        return Check("model", Verdict.OK, f"{role} {model}: not on this machine yet, size not known")
    room = size + working
    detail = f"{role} {model}: {readable(size)} {how}, {readable(room)} with room to work in"
    if room <= device.models_bytes:
        return Check("model", Verdict.OK, detail)
    remedy = "take a smaller model or a lower precision, or another device"
    return Check(
        "model", Verdict.WARN, f"{detail}: does not fit into {readable(device.models_bytes)}", remedy
    )


def _closest(known: PublishedModel, model: str, precision: str) -> tuple[str, int]:
    """The published size in the precision that the model's name ends with, or else that is configured."""
    ends = [label for label in known.weights_bytes if label.casefold() in model.casefold()]
    label = (
        ends[0]
        if ends
        else precision
        if precision in known.weights_bytes
        else next(iter(known.weights_bytes))
    )
    return label, known.weights_bytes[label]


def _which_fit(known: PublishedModel, device: _Device) -> str:
    fits: list[str] = []
    not_so: list[str] = []
    for label, size in known.weights_bytes.items():
        room = size + known.working_bytes
        (fits if room <= device.models_bytes else not_so).append(f"{label} ({readable(room)})")
    told = [f"fits in {', '.join(fits)}"] if fits else []
    if not_so:
        told.append(f"{'not' if fits else 'does not fit'} in {', '.join(not_so)}")
    return "; ".join(told)
