"""The scan of one Mamba-2 layer of the 12B model over prompts, against mamba-ssm and transformers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch

from gpu_sections.timing import NotRun, gpu_times, peak_memory
from ragvl.generator.kernels.ssd_prefill import ssd_prefill
from ragvl.generator.kernels.ssd_prefill.torch_twin import ssd_prefill as twin

LENGTHS = (128, 1024, 3528, 13_512, 33_480)
_HEADS, _HEAD_DIM, _GROUPS, _STATE, _CHUNK = 128, 80, 8, 128, 128
_BYTES = 2 * (2 * _HEADS * _HEAD_DIM + 2 * _GROUPS * _STATE + _HEADS)
"""Bytes of a token that have to be moved at least: x, B, C, dt in and y out, in bfloat16."""

Call = Callable[[], Any]


def run(known: dict[str, Any]) -> dict[str, Any]:
    """Return times by implementation and length, with ratios to ragvl's and to the copy bandwidth."""
    copy = (known.get("roofs") or {}).get("copy_tb_per_s")
    rows: list[dict[str, Any]] = []
    for length in LENGTHS:
        operands = _operands(length)
        row: dict[str, Any] = {"length": length}
        for name, make in (
            ("ragvl", _ragvl),
            ("mamba_ssm", _mamba_ssm),
            ("transformers", _transformers),
            ("twin", _twin),
        ):
            try:
                call = make(operands)
                row[name] = gpu_times(call, most=50).row() | {"peak_gib": peak_memory(call)}
                row[name]["ns_per_token"] = round(row[name]["median_ms"] * 1e6 / length, 2)
            except (NotRun, ImportError, RuntimeError, TypeError) as error:
                row[name] = {"not_run": f"{type(error).__name__}: {error}".splitlines()[0]}
                torch.cuda.empty_cache()
        ours = row["ragvl"].get("median_ms")
        for name in ("mamba_ssm", "transformers"):
            if ours and "median_ms" in row[name]:
                row[f"{name}_over_ragvl"] = round(row[name]["median_ms"] / ours, 2)
        if ours and copy:
            row["share_of_copy_bandwidth"] = round(_BYTES * length / (ours * 1e9) / copy, 3)
        rows.append(row)
    return {"shape": "1 layer, 128 heads of 80, 8 groups, state 128, bfloat16", "rows": rows}


def _operands(length: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    inner, matrix = _HEADS * _HEAD_DIM, _GROUPS * _STATE
    mixed = torch.randn(1, length, inner + 2 * matrix, device="cuda").bfloat16() * 0.5
    x, b, c = mixed.split([inner, matrix, matrix], dim=-1)
    return {
        "x": x.view(1, length, _HEADS, _HEAD_DIM),
        "dt": torch.randn(1, length, _HEADS, device="cuda").bfloat16(),
        "A": -torch.empty(_HEADS, device="cuda").uniform_(1, 16),
        "B": b.view(1, length, _GROUPS, _STATE),
        "C": c.view(1, length, _GROUPS, _STATE),
        "D": torch.ones(_HEADS, device="cuda"),
        "dt_bias": torch.empty(_HEADS, device="cuda").uniform_(-6, -2),
    }


def _ragvl(operands: Mapping[str, torch.Tensor]) -> Call:
    return lambda: ssd_prefill(**operands)


def _twin(operands: Mapping[str, torch.Tensor]) -> Call:
    return lambda: twin(**operands)


def _mamba_ssm(operands: Mapping[str, torch.Tensor]) -> Call:
    from mamba_ssm.ops.triton.ssd_combined import mamba_chunk_scan_combined

    x, dt, a, b, c = (operands[name] for name in ("x", "dt", "A", "B", "C"))
    return lambda: mamba_chunk_scan_combined(
        x,
        dt,
        a,
        b,
        c,
        chunk_size=_CHUNK,
        D=operands["D"],
        dt_bias=operands["dt_bias"],
        dt_softplus=True,
        return_final_states=True,
    )


def _transformers(operands: Mapping[str, torch.Tensor]) -> Call:
    """The plain PyTorch scan of transformers, which runs where mamba-ssm is not installed."""
    from transformers.models.nemotron_h import modeling_nemotron_h as modeling

    scan = getattr(modeling, "mamba2_chunk_scan", None)
    if scan is None:
        raise NotRun("this version of transformers has no mamba2_chunk_scan function")
    torch_scan = inspect.unwrap(scan)
    x, dt, a, b, c = (operands[name] for name in ("x", "dt", "A", "B", "C"))
    return lambda: torch_scan(
        x,
        dt,
        a,
        b,
        c,
        chunk_size=_CHUNK,
        D=operands["D"],
        dt_bias=operands["dt_bias"],
        dt_softplus=True,
        dt_limit=(0.0, float("inf")),
        return_final_states=True,
    )
