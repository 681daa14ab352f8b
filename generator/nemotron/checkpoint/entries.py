"""The header of a safetensors file: which tensors it holds, and where."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ragvl.errors import ModelFileError

__all__ = ["TensorEntry", "read_header"]

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_MAX_HEADER_BYTES = 100_000_000
_REMEDY = "fetch the file again"


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """
    A tensor as it lies in a file.

    Attributes:
        name: in the checkpoint.
        path: of the file.
        dtype: as stored.
        shape: as stored.
        offset: of its first byte in the file.
        nbytes: its length.
    """

    name: str
    path: Path
    dtype: torch.dtype
    shape: tuple[int, ...]
    offset: int
    nbytes: int


def read_header(path: Path) -> dict[str, TensorEntry]:
    """
    Read which tensors a safetensors file holds; none of their numbers.

    Raises:
        ModelFileError: absent, cut short, or not a safetensors file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, _MAX_HEADER_BYTES):
                raise ModelFileError(f"{path} is not a whole safetensors file ({size} bytes); {_REMEDY}")
            header = json.loads(file.read(length))
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} does not exist; {_REMEDY}") from error
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}; {_REMEDY}") from error
    if not isinstance(header, dict):
        raise ModelFileError(f"{path} has no table of tensors in its header; {_REMEDY}")
    start = 8 + length
    return {
        name: _entry(name, path, fields, start, size)
        for name, fields in header.items()
        if name != "__metadata__"
    }


def _entry(name: str, path: Path, fields: Any, start: int, size: int) -> TensorEntry:
    try:
        stored, shape, (first, last) = fields["dtype"], tuple(fields["shape"]), fields["data_offsets"]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: the header's entry for {name} is damaged; {_REMEDY}") from error
    if stored not in _DTYPES:
        raise ModelFileError(f"{path}: {name} is stored as {stored}, which is not supported")
    dtype = _DTYPES[stored]
    whole = all(isinstance(number, int) and number >= 0 for number in (*shape, first, last))
    if not whole or last - first != math.prod(shape) * dtype.itemsize:
        raise ModelFileError(f"{path}: the size of {name} does not fit its shape {shape}; {_REMEDY}")
    if start + last > size:
        raise ModelFileError(f"{path} is cut short: {name} ends at byte {start + last} of {size}; {_REMEDY}")
    return TensorEntry(name, path, dtype, shape, start + first, last - first)
