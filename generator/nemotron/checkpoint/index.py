"""All tensors of a checkpoint folder, over its shards, by the part of the model that they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.checkpoint.entries import TensorEntry, read_header

__all__ = ["PARTS", "listed", "part", "read_index"]

PARTS: Mapping[str, str] = {"language": "language_model.", "vision": "vision_model.", "projector": "mlp1."}
"""Part of the model to the prefix of its tensors' names."""

_INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"
_SHOWN = 40


def read_index(folder: Path) -> Mapping[str, TensorEntry]:
    """
    Find every tensor of a checkpoint.

    Args:
        folder: with `model.safetensors.index.json` and its shards, or with `model.safetensors` alone.

    Returns:
        name to where it lies; the shards' own headers are what counts, not the index.

    Raises:
        ModelFileError: a file is absent or damaged, a tensor that the index names is in no shard or in two, or a
            tensor belongs to no part of the model.
    """
    index = folder / _INDEX
    if not index.exists():
        return _known(read_header(folder / _SINGLE), folder)
    try:
        shard_of = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        shards = sorted(set(shard_of.values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{index} is damaged: {error!r}; fetch it again") from error
    entries: dict[str, TensorEntry] = {}
    for shard in shards:
        if Path(shard).name != shard:
            raise ModelFileError(f"{index} names the shard {shard!r}, which is not a plain file name")
        for name, entry in read_header(folder / shard).items():
            if name in entries:
                raise ModelFileError(
                    f"{name} is both in {entries[name].path.name} and in {shard} of {folder}"
                )
            entries[name] = entry
    absent = sorted(set(shard_of) - set(entries))
    if absent:
        raise ModelFileError(f"{index} names tensors that no shard holds:\n{listed(absent)}")
    return _known(entries, folder)


def part(entries: Mapping[str, TensorEntry], name: str) -> dict[str, TensorEntry]:
    """
    Take the tensors of one part, by their names below its prefix.

    Args:
        entries: of `read_index`.
        name: a key of `PARTS`.
    """
    prefix = PARTS[name]
    return {full.removeprefix(prefix): entry for full, entry in entries.items() if full.startswith(prefix)}


def listed(names: list[str]) -> str:
    """Names for a message, one a line; the first of many."""
    more = [f"  and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return "\n".join([*(f"  {name}" for name in names[:_SHOWN]), *more])


def _known(entries: dict[str, TensorEntry], folder: Path) -> Mapping[str, TensorEntry]:
    stray = sorted(name for name in entries if not name.startswith(tuple(PARTS.values())))
    if stray:
        prefixes = ", ".join(PARTS.values())
        raise ModelFileError(
            f"{folder} holds tensors that belong to no part of the model ({prefixes}):\n{listed(stray)}"
        )
    return entries
