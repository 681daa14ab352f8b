"""Which implementation of an operation runs on a device: its Triton kernel, or its PyTorch twin."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ragvl.generator.kernels.self_check import kernel_agrees

if TYPE_CHECKING:
    import torch

__all__ = ["OPERATIONS", "choose", "kernel_of", "runs_kernels", "twin_of"]

logger = logging.getLogger(__name__)

OPERATIONS = (
    "conv1d_prefill",
    "decode_attention",
    "gated_group_rmsnorm",
    "gemv",
    "mamba_decode",
    "relu2",
    "residual_rmsnorm",
    "ssd_prefill",
)
"""
Every operation with a kernel; adding one is adding its name. The folder of that name holds `torch_twin.py` and
`triton_kernel.py`, each with a function of that name and the same arguments, and `samples.py` with `samples(device)`
for the self-check.
"""


def choose(operation: str, device: torch.device, *, fits: bool = True) -> Callable[..., Any]:
    """
    Pick the implementation of an operation.

    The first choice of an operation on a new GPU compares its kernel with its twin (seconds, most of them spent on
    compiling); it has to happen outside the capture of a CUDA graph.

    Args:
        operation: one of `OPERATIONS`.
        device: where the tensors are.
        fits: whether the kernel covers these sizes; the twin covers all.

    Raises:
        ValueError: there is no such operation.
    """
    if operation not in OPERATIONS:
        raise ValueError(f"no kernel operation {operation!r}; there are {', '.join(OPERATIONS)}")
    twin = twin_of(operation)
    if not fits or not runs_kernels(device):
        return twin
    return kernel_of(operation) if kernel_agrees(operation, device, kernel_of, twin) else twin


def runs_kernels(device: torch.device) -> bool:
    """Whether Triton kernels can run on a device: a CUDA device, and Triton is installed."""
    return device.type == "cuda" and _has_triton()


def kernel_of(operation: str) -> Callable[..., Any]:
    """Load the Triton kernel of an operation."""
    return _load(operation, "triton_kernel")


def twin_of(operation: str) -> Callable[..., Any]:
    """Load the PyTorch twin of an operation."""
    return _load(operation, "torch_twin")


@functools.cache
def _load(operation: str, module: str) -> Callable[..., Any]:
    found = importlib.import_module(f"ragvl.generator.kernels.{operation}.{module}")
    implementation: Callable[..., Any] = getattr(found, operation)
    return implementation


@functools.cache
def _has_triton() -> bool:
    found = importlib.util.find_spec("triton") is not None
    if not found:
        logger.warning("triton is not installed: kernels run as plain PyTorch, which is several times slower")
    return found
