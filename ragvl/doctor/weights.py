"""What a model's weights take, read from the headers of their files; nothing is loaded or downloaded."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAX_HEADER_BYTES = 100 << 20  # what the safetensors library accepts
_FLOATS = {
    "F64",
    "F32",
    "F16",
    "BF16",
}  # cast to the precision that is asked for; others stay as they are stored
_INDEX, _SINGLE, _ADAPTER = "model.safetensors.index.json", "model.safetensors", "adapter_config.json"


@dataclass(frozen=True, slots=True)
class Weights:
    """
    The tensors of a model.

    Attributes:
        floats: numbers that are cast when they are loaded.
        packed_bytes: of tensors that stay as they are: 8 bits and fewer, integers.
        stored_bytes: of all, in the files.
    """

    floats: int
    packed_bytes: int
    stored_bytes: int

    def loaded_bytes(self, bytes_per_float: int) -> int:
        """What they take when floats take so many bytes each."""
        return self.floats * bytes_per_float + self.packed_bytes

    def __add__(self, other: Weights) -> Weights:
        """Both together."""
        return Weights(
            self.floats + other.floats,
            self.packed_bytes + other.packed_bytes,
            self.stored_bytes + other.stored_bytes,
        )


def find_weights(model: str, revision: str | None = None) -> Weights | None:
    """
    Measure a model that is on this machine: a folder, or one of the hub's cache.

    An adapter counts with the model that it adapts.

    Returns:
        None when it is not here, or has no safetensors files.

    Raises:
        ValueError: a file is damaged.
    """
    folder = _folder(model, revision)
    files = _files(folder) if folder else []
    if folder is None or not files:
        return None
    total = sum(map(_measure, files), Weights(0, 0, 0))
    adapter = folder / _ADAPTER
    if not adapter.is_file():
        return total
    base = find_weights(str(json.loads(adapter.read_text("utf-8"))["base_model_name_or_path"]))
    return total + base if base else None


def _folder(model: str, revision: str | None) -> Path | None:
    if Path(model).is_dir():
        return Path(model)
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except (ImportError, OSError, ValueError):  # not installed, not in the cache, or no name of the hub's
        return None


def _files(folder: Path) -> list[Path]:
    """The files that a loader takes: those of the index, the single one, or all."""
    if (folder / _INDEX).is_file():
        shards = json.loads((folder / _INDEX).read_text("utf-8"))["weight_map"].values()
        return [folder / name for name in sorted(set(shards))]
    if (folder / _SINGLE).is_file():
        return [folder / _SINGLE]
    return sorted(folder.glob("*.safetensors"))


def _measure(file: Path) -> Weights:
    floats = packed = stored = 0
    for tensor in _header(file).values():
        begin, end = tensor["data_offsets"]
        stored += end - begin
        if tensor["dtype"] in _FLOATS:
            floats += math.prod(tensor["shape"])
        else:
            packed += end - begin
    return Weights(floats, packed, stored)


def _header(file: Path) -> dict[str, Any]:
    """The names, types and shapes of a file's tensors; https://github.com/huggingface/safetensors#format."""
    with file.open("rb") as opened:
        start = opened.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else _MAX_HEADER_BYTES + 1
        if length > _MAX_HEADER_BYTES:
            raise ValueError(f"{file} is no safetensors file, or damaged")
        header: dict[str, Any] = json.loads(opened.read(length))
    header.pop("__metadata__", None)
    return header
