"""Where a page model computes, in which precision, with which attention."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ragvl.config import ImageConfig
from ragvl.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    import torch

__all__ = ["Placement", "choose_placement"]


@dataclass(frozen=True, slots=True)
class Placement:
    """
    What was chosen.

    Attributes:
        device: as torch calls it, such as "cpu" or "cuda:0".
        precision: "float32", "bfloat16" or "float16".
        attention: as transformers calls it.
    """

    device: str
    precision: str
    attention: str

    @property
    def float_bytes(self) -> int:
        """Memory of one number."""
        return 4 if self.precision == "float32" else 2

    @property
    def dtype(self) -> torch.dtype:
        """The precision for torch."""
        import torch

        dtype: torch.dtype = getattr(torch, self.precision)
        return dtype


def choose_placement(config: ImageConfig) -> Placement:
    """
    Resolve every "auto" of a configuration for this machine.

    Raises:
        ConfigError: the device is not there, or cannot do what was asked of it.
        MissingExtraError: torch is not installed.
    """
    torch = _torch()
    device = _device(torch, config.device)
    precision = _precision(torch, config.precision, device)
    attention: str = config.attention
    if attention == "auto":
        quick = device.startswith("cuda") and precision != "float32" and find_spec("flash_attn") is not None
        attention = "flash_attention_2" if quick else "sdpa"
    if attention == "flash_attention_2" and precision == "float32":
        raise ConfigError("image.attention flash_attention_2 needs image.precision bfloat16 or float16")
    return Placement(device, precision, attention)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError('page models need torch; run: pip install "ragvl[vl]"') from error
    return torch


def _device(torch: Any, wanted: str) -> str:
    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        kind = torch.device(wanted).type
    except RuntimeError:
        raise ConfigError(
            f"image.device {wanted!r} is no device; take auto, cpu, cuda, cuda:1 or mps"
        ) from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(kind, True):
        raise ConfigError(
            f"image.device is {wanted!r}, but torch finds no such device here; take auto or cpu"
        )
    return wanted


def _precision(torch: Any, wanted: str, device: str) -> str:
    if wanted != "auto":
        return wanted
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    return "float32" if device == "cpu" else "float16"
