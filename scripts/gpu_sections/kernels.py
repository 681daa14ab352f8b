"""Every operation: does its kernel build, agree with its twin and float64, repeat its bits, and replay in a graph?"""

from __future__ import annotations

import importlib
import inspect
import time
from typing import Any

import torch

from ragvl.generator.kernels.choice import OPERATIONS, kernel_of, twin_of
from ragvl.generator.kernels.self_check import Sample, difference, kernel_agrees

_WORSE_THAN_TWIN = 1.1
"""How much farther from float64 than its twin a kernel may be."""

_PREFILL = ("conv1d_prefill", "ssd_prefill")
"""Operations that no CUDA graph has to hold."""


def run(_known: dict[str, Any]) -> dict[str, Any]:
    """Return a row for each operation and sample, and the verdict of the self-check."""
    device = torch.device("cuda")
    found: dict[str, Any] = {}
    for operation in OPERATIONS:
        start = time.perf_counter()
        row: dict[str, Any] = {}
        try:
            row["self_check"] = kernel_agrees(operation, device, kernel_of, twin_of(operation))
            row["build_s"] = round(time.perf_counter() - start, 1)
            samples = importlib.import_module(f"ragvl.generator.kernels.{operation}.samples").samples(device)
            row["samples"] = {sample.name: _check(operation, sample) for sample in samples}
            row["sound"] = row["self_check"] and all(_sound(each) for each in row["samples"].values())
        except Exception as error:  # noqa: BLE001 - one operation's failure must not hide the others
            row |= {"sound": False, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
        found[operation] = row
    return {"sound": all(row["sound"] for row in found.values()), "operations": found}


def _sound(row: dict[str, Any]) -> bool:
    exact, twin = row["kernel_to_float64"], row["twin_to_float64"]
    near = exact is None or exact <= _WORSE_THAN_TWIN * twin + 1e-6
    return (
        row["kernel_to_twin"] <= row["tolerance"] and near and row["repeats"] and row["replays"] is not False
    )


def _check(operation: str, sample: Sample) -> dict[str, Any]:
    kernel, twin = kernel_of(operation), twin_of(operation)
    ours, theirs = _outcome(kernel, sample), _outcome(twin, sample)
    exact = _exact(operation, sample)
    return {
        "kernel_to_twin": difference(ours, theirs),
        "tolerance": sample.tolerance,
        "kernel_to_float64": None if exact is None else _to_exact(ours[0], exact),
        "twin_to_float64": None if exact is None else _to_exact(theirs[0], exact),
        "repeats": difference(ours, _outcome(kernel, sample)) == 0.0,
        "replays": None if operation in _PREFILL else _replays(kernel, sample, ours),
    }


def _outcome(call: Any, sample: Sample) -> tuple[Any, dict[str, Any]]:
    arguments = _copies(sample)
    return call(**arguments), arguments


def _copies(sample: Sample) -> dict[str, Any]:
    return {
        name: value.clone() if isinstance(value, torch.Tensor) else value
        for name, value in sample.arguments.items()
    }


def _exact(operation: str, sample: Sample) -> Any | None:
    """Return what the float64 reference says; None when it does not take this sample's arguments."""
    module = importlib.import_module(f"ragvl.generator.kernels.{operation}.reference")
    reference = getattr(module, operation)
    taken = inspect.signature(reference).parameters
    if sample.name == "float8" and operation == "relu2":
        return None  # the reference does not quantise
    return reference(**{name: value for name, value in _copies(sample).items() if name in taken})


def _to_exact(found: Any, exact: Any) -> float:
    """Relative L2 distance of the first tensor."""
    found = found[0] if isinstance(found, tuple) else found
    exact = exact[0] if isinstance(exact, tuple) else exact
    return float((found.double() - exact.double()).norm() / exact.double().norm().clamp_min(1e-30))


def _replays(kernel: Any, sample: Sample, eager: tuple[Any, dict[str, Any]]) -> bool:
    """Whether a CUDA graph of the call gives the bits of the call, from arguments put back before the replay."""
    arguments, kept = _copies(sample), _copies(sample)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        kernel(**arguments)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = kernel(**arguments)
    for name, value in kept.items():
        if isinstance(value, torch.Tensor):
            arguments[name].copy_(value)
    graph.replay()
    torch.cuda.synchronize()
    return difference((result, arguments), eager) == 0.0
