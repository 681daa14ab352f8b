"""Quantised matrices: 8-bit and 4-bit floating point, as NVIDIA's ModelOpt writes them."""

from __future__ import annotations

from collections.abc import Iterator

import torch

__all__ = ["FP4_BLOCK", "dequantise_fp4", "dequantise_fp8", "multiplies_fp8"]

FP4_BLOCK = 16
"""Columns of a row that share one scale."""

_FP4_MAGNITUDES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_ROWS_AT_ONCE = 1024  # bounds the float32 numbers on the way


def dequantise_fp8(weight: torch.Tensor, scale: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """
    Return `weight * scale`, computed in float32 and rounded once to `dtype`.

    Args:
        weight: (out_features, in_features) float8_e4m3fn.
        scale: float32, one number or one a row.
        dtype: of the result.
    """
    scale = scale.float().reshape(-1, 1).expand(weight.shape[0], 1)
    result = torch.empty(weight.shape, dtype=dtype, device=weight.device)
    for rows in _row_blocks(weight.shape[0]):
        result[rows] = (weight[rows].float() * scale[rows]).to(dtype)
    return result


def dequantise_fp4(
    packed: torch.Tensor, block_scale: torch.Tensor, scale: torch.Tensor, dtype: torch.dtype
) -> torch.Tensor:
    """
    Return `number * block_scale * scale`, rounded once in float32 and once to `dtype`.

    Args:
        packed: (out_features, in_features / 2) uint8; the low four bits are the even column. Of four bits the
            highest is the sign, the others are the index of the magnitude.
        block_scale: (out_features, in_features / 16) float8_e4m3fn.
        scale: one float32.
        dtype: of the result.
    """
    numbers = torch.tensor(
        [*_FP4_MAGNITUDES, *(-magnitude for magnitude in _FP4_MAGNITUDES)],
        dtype=torch.float32,
        device=packed.device,
    )
    out_features, width = packed.shape[0], packed.shape[1] * 2
    result = torch.empty(out_features, width, dtype=dtype, device=packed.device)
    for rows in _row_blocks(out_features):
        nibbles = torch.stack((packed[rows] & 0x0F, packed[rows] >> 4), dim=-1)
        values = numbers[nibbles.int()].view(-1, width // FP4_BLOCK, FP4_BLOCK)
        # The product of number and block scale is exact in float32.
        values = values * block_scale[rows].float().unsqueeze(-1) * scale.float()
        result[rows] = values.flatten(1).to(dtype)
    return result


def multiplies_fp8(device: torch.device) -> bool:
    """Whether a device multiplies 8-bit matrices itself: NVIDIA from compute capability 8.9."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 9)


def _row_blocks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, _ROWS_AT_ONCE):
        yield slice(start, start + _ROWS_AT_ONCE)
