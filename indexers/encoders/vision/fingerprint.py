"""
What tells page models apart, read from their files: nothing is loaded.

The fingerprint covers every settings, processor and tokenizer file, and of each file of weights its size, its header
(names, shapes and types of all tensors) and 256 blocks of 4 KiB spread evenly over it. Another training run changes
nearly every block, so that two models are told apart after a megabyte; it is no check of integrity, which a single
changed weight would pass.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from ragvl.errors import ModelFileError
from ragvl.indexers.encoders.vision.folder import ModelFolder

__all__ = ["fingerprint", "weights_bytes"]

_SETTINGS = (
    "config.json",
    "modules.json",
    "config_sentence_transformers.json",
    "sentence_*_config.json",
    "router_config.json",
    "*processor_config.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template*",
    "*.model",
)
_BLOCKS, _BLOCK_BYTES = 256, 4096
_FLOAT_TYPES = frozenset(("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"))
_INTEGER_BYTES = {"I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def fingerprint(folder: ModelFolder, settings: Mapping[str, object]) -> str:
    """
    Hash a model together with the settings that its vectors depend on.

    Returns:
        64 hexadecimal digits.

    Raises:
        ModelFileError: a file cannot be read.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    try:
        for file in _settings_files(folder):
            _add(digest, file.relative_to(folder.path).as_posix().encode(), file.read_bytes())
        for file in folder.weight_files:
            _add(digest, file.relative_to(folder.path).as_posix().encode(), *_sample(file))
    except OSError as error:
        raise ModelFileError(
            f"cannot read {error.filename}: {error.strerror}; copy the model again"
        ) from error
    return digest.hexdigest()


def weights_bytes(folder: ModelFolder, float_bytes: int) -> int:
    """
    Memory that the weights take when each number of theirs takes `float_bytes`; from the headers of their files.

    Raises:
        ModelFileError: a file is damaged.
    """
    return sum(
        math.prod(shape) * (float_bytes if kind in _FLOAT_TYPES else _INTEGER_BYTES.get(kind, float_bytes))
        for file in folder.weight_files
        for kind, shape in _tensors(file)
    )


def _settings_files(folder: ModelFolder) -> list[Path]:
    found = {file for part in folder.parts for pattern in _SETTINGS for file in part.glob(pattern)}
    return sorted(file for file in found if file.is_file())


def _add(digest: hashlib._Hash, *parts: bytes) -> None:
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)


def _sample(file: Path) -> Iterator[bytes]:
    size = file.stat().st_size
    yield size.to_bytes(8, "little")
    with file.open("rb") as opened:
        yield opened.read(_header_bytes(opened.read(8), file, size))
        start = opened.tell()
        if size - start <= _BLOCKS * _BLOCK_BYTES:
            yield opened.read()
            return
        for block in range(_BLOCKS):
            opened.seek(start + block * (size - start - _BLOCK_BYTES) // (_BLOCKS - 1))
            yield opened.read(_BLOCK_BYTES)


def _tensors(file: Path) -> Iterator[tuple[str, list[int]]]:
    try:
        with file.open("rb") as opened:
            header = json.loads(opened.read(_header_bytes(opened.read(8), file, file.stat().st_size)))
        for name, tensor in header.items():
            if name != "__metadata__":
                yield str(tensor["dtype"]), list(tensor["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{file} is damaged: its header cannot be read ({error}); copy the model again"
        ) from error


def _header_bytes(prefix: bytes, file: Path, size: int) -> int:
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or length > size - 8:
        raise ModelFileError(f"{file} is damaged: it is shorter than its header says; copy the model again")
    return length
