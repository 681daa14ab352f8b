"""Where the model runs, and in which precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ragvl.config import NemotronConfig
from ragvl.errors import ConfigError
from ragvl.generator.nemotron.checkpoint.loading import default_dtype
from ragvl.generator.nemotron.checkpoint.quantised import multiplies_fp8

__all__ = ["Placing", "place"]

_KINDS = ("cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Placing:
    """
    What was chosen.

    Attributes:
        device: for all parts of the model.
        dtype: of what is not kept in 8 bits.
        keep_fp8: whether 8-bit matrices stay as they are.
    """

    device: torch.device
    dtype: torch.dtype
    keep_fp8: bool


def place(config: NemotronConfig) -> Placing:
    """
    Resolve every "auto" for this machine.

    Raises:
        ConfigError: the device is not there, or cannot do what was asked of it.
    """
    device = _device(config.device)
    dtype = {"bfloat16": torch.bfloat16, "float32": torch.float32}.get(
        config.precision, default_dtype(device)
    )
    able = multiplies_fp8(device)
    if config.precision == "fp8" and not able:
        raise ConfigError(
            f"generator.nemotron.precision is fp8, but {device} does not multiply 8-bit matrices (NVIDIA GPUs from "
            "compute capability 8.9 do); take auto, which widens them"
        )
    return Placing(device, dtype, able and config.precision in ("auto", "fp8"))


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        device = None
    if device is None or device.type not in _KINDS:
        raise ConfigError(f"generator.nemotron.device is {wanted!r}; take auto, cpu, cuda or cuda:1")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ConfigError(
            f"generator.nemotron.device is {wanted!r}, but torch finds no such device here; take auto or cpu"
        )
    return device
