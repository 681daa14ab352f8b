"""From what a checkpoint stores of a matrix to the linear layer that multiplies with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch

from ragvl.errors import ModelFileError
from ragvl.generator.nemotron.checkpoint.entries import TensorEntry
from ragvl.generator.nemotron.checkpoint.quantised import FP4_BLOCK, dequantise_fp4, dequantise_fp8
from ragvl.generator.nemotron.checkpoint.reading import TensorReader
from ragvl.generator.nemotron.language.linear import DenseLinear, Fp8Linear, Linear

__all__ = ["Format", "read_matrix", "read_plain", "stored_format"]

Format = Literal["full", "fp8", "nvfp4"]

_FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
_FP8_MULTIPLE = 16  # rows and columns that an 8-bit product takes


def stored_format(entry: TensorEntry, beside: Mapping[str, TensorEntry]) -> Format:
    """
    Tell how a matrix is stored, by what lies beside it.

    Args:
        entry: of the matrix.
        beside: its scales: `weight_scale`, `weight_scale_2`, `input_scale`.

    Raises:
        ModelFileError: numbers and scales do not belong together.
    """
    out_features = entry.shape[0]
    if entry.dtype in _FLOATS and not set(beside) - {"input_scale"}:
        return "full"
    scale = beside.get("weight_scale")
    if entry.dtype is torch.float8_e4m3fn and set(beside) <= {"weight_scale", "input_scale"}:
        if scale is not None and _count(scale) in (1, out_features):
            return "fp8"
    elif entry.dtype is torch.uint8 and "weight_scale_2" in beside and scale is not None:
        blocks = (out_features, entry.shape[1] * 2 // FP4_BLOCK)
        if (
            scale.dtype is torch.float8_e4m3fn
            and scale.shape == blocks
            and _count(beside["weight_scale_2"]) == 1
        ):
            return "nvfp4"
    scales = ", ".join(f"{name} {item.dtype} {item.shape}" for name, item in beside.items()) or "no scale"
    raise ModelFileError(
        f"{entry.path}: {entry.name} is {entry.dtype} {entry.shape} with {scales}; known are 16- and 32-bit"
        " matrices, FP8 and NVFP4 as ModelOpt writes them"
    )


def read_matrix(
    reader: TensorReader,
    entry: TensorEntry,
    beside: Mapping[str, TensorEntry],
    dtype: torch.dtype,
    *,
    keep_fp8: bool,
) -> Linear:
    """
    Read a matrix and make the layer that multiplies with it.

    Args:
        reader: of the device.
        entry: of the matrix.
        beside: its scales.
        dtype: of the model; a matrix that is not kept in 8 bits gets it.
        keep_fp8: keep an 8-bit matrix as it is, where its sizes allow.
    """
    stored = stored_format(entry, beside)
    weight = reader.read(entry)
    if stored == "full":
        return DenseLinear(weight.to(dtype))
    scales = {name: reader.read(item) for name, item in beside.items()}
    if stored == "nvfp4":
        return DenseLinear(dequantise_fp4(weight, scales["weight_scale"], scales["weight_scale_2"], dtype))
    scale = scales["weight_scale"].float()
    if keep_fp8 and scale.numel() == 1 and not any(size % _FP8_MULTIPLE for size in entry.shape):
        rows_scale = scales.get("input_scale")
        return Fp8Linear(
            weight, scale.reshape(()), None if rows_scale is None else rows_scale.float().reshape(())
        )
    return DenseLinear(dequantise_fp8(weight, scale, dtype))


def read_plain(reader: TensorReader, entry: TensorEntry, dtype: torch.dtype) -> torch.Tensor:
    """
    Read a tensor that is never quantised.

    Raises:
        ModelFileError: it is not stored in floating point of 16 bits or more.
    """
    if entry.dtype not in _FLOATS:
        raise ModelFileError(
            f"{entry.path}: {entry.name} is stored as {entry.dtype}, where floating point is needed"
        )
    return reader.read(entry).to(dtype)


def _count(entry: TensorEntry) -> int:
    count = 1
    for size in entry.shape:
        count *= size
    return count
