"""Which device a kernel runs on, and which row of its table that device uses."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import TypeVar

import torch

Row = TypeVar("Row")

_ASSUMED = 90
"""Architecture taken for a tensor that is on no GPU, as in Triton's interpreter."""


def architecture(device: torch.device) -> int:
    """Return the compute capability of a CUDA device times ten: 90 for an H100 or H200."""
    return _capability(device.index) if device.type == "cuda" else _ASSUMED


def row_for(table: Mapping[int, Row], device: torch.device) -> Row:
    """Return the table's row for the newest architecture that is not newer than the device, or its first row."""
    found = architecture(device)
    return table[max((known for known in table if known <= found), default=min(table))]


def launching_on(device: torch.device) -> AbstractContextManager[object]:
    """Make a CUDA device the current one, which Triton launches on; do nothing for any other device."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


@cache
def _capability(index: int | None) -> int:
    major, minor = torch.cuda.get_device_capability(index)
    return major * 10 + minor
