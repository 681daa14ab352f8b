"""The first use of a kernel on a GPU: does it give what its PyTorch twin gives?"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["Sample", "difference", "forget", "kernel_agrees"]

logger = logging.getLogger(__name__)

_verdicts: dict[tuple[str, str], bool] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Sample:
    """
    One small call that kernel and twin both answer.

    Attributes:
        name: what is special about it; shown when the two differ.
        arguments: by name; tensors among them are copied for each side, so an operation may write into them.
        tolerance: largest relative L2 difference of any tensor returned or written into.
    """

    name: str
    arguments: dict[str, Any]
    tolerance: float


def kernel_agrees(
    operation: str,
    device: torch.device,
    kernel_of: Callable[[str], Callable[..., Any]],
    twin: Callable[..., Any],
) -> bool:
    """
    Tell whether the kernel of an operation can be trusted on a device; asked once per process and kind of device.

    A kernel that does not compile, fails or differs is reported as a warning and not used.

    Args:
        operation: name of a folder with `samples.py`.
        device: where the samples run.
        kernel_of: loads the kernel of an operation.
        twin: the function that is right.
    """
    kind = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    with _lock:
        if (operation, kind) not in _verdicts:
            found = _fault(operation, device, kernel_of, twin)
            if found is not None:
                logger.warning(
                    "the %s kernel is not used on %s: %s. The PyTorch twin runs instead: same answers, slower.",
                    operation,
                    kind,
                    found,
                )
            _verdicts[operation, kind] = found is None
        return _verdicts[operation, kind]


def forget() -> None:
    """Drop every verdict: the next choice checks again."""
    with _lock:
        _verdicts.clear()


def difference(found: Any, expected: Any) -> float:
    """
    Measure how far two results are apart.

    Args:
        found, expected: tensors, None, numbers, or tuples, lists and dicts of these.

    Returns:
        the largest relative L2 difference of any tensor; infinity where shapes, dtypes, structure or which values are
        finite differ, and where whole numbers differ at all.
    """
    if isinstance(expected, torch.Tensor):
        return _distance(found, expected) if isinstance(found, torch.Tensor) else float("inf")
    if isinstance(expected, dict):
        found, expected = tuple(found.items()), tuple(expected.items())
    if isinstance(expected, tuple | list):
        if not isinstance(found, tuple | list) or len(found) != len(expected):
            return float("inf")
        return max(map(difference, found, expected), default=0.0)
    return 0.0 if found == expected else float("inf")


def _fault(
    operation: str,
    device: torch.device,
    kernel_of: Callable[[str], Callable[..., Any]],
    twin: Callable[..., Any],
) -> str | None:
    samples = importlib.import_module(f"ragvl.generator.kernels.{operation}.samples").samples(device)
    try:
        kernel = kernel_of(operation)
        for sample in samples:
            distance = difference(_outcome(kernel, sample), _outcome(twin, sample))
            if not distance <= sample.tolerance:
                return f"{sample.name}: differs by {distance:.2g}, {sample.tolerance:.2g} is allowed"
    except Exception as error:  # noqa: BLE001 (compiler, driver and launch can fail in any way)
        return f"{type(error).__name__}: {error}"
    return None


def _outcome(operation: Callable[..., Any], sample: Sample) -> tuple[Any, dict[str, Any]]:
    arguments = {name: _copy(value) for name, value in sample.arguments.items()}
    return operation(**arguments), arguments


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def _distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return float("inf")
    if not expected.is_floating_point():
        return 0.0 if torch.equal(found, expected) else float("inf")
    ours, theirs = found.double(), expected.double()
    if not torch.equal(ours.isfinite(), theirs.isfinite()):
        return float("inf")
    ours, theirs = ours.nan_to_num(), theirs.nan_to_num()
    if not theirs.numel():
        return 0.0
    return float((ours - theirs).norm() / theirs.norm().clamp_min(1e-30))
