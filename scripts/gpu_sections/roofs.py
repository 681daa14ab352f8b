"""What the GPU reaches on plain work, in the same run as everything else: copies and matrix products."""

from __future__ import annotations

from typing import Any

import torch

from gpu_sections.timing import NotRun, gpu_times

_SIDE = 8192


def run(_known: dict[str, Any]) -> dict[str, Any]:
    """Return TB/s of a copy and of a read, and TFLOP/s of bfloat16 and float8 products."""
    found: dict[str, Any] = _bandwidths()
    for name, product in (("bf16", _bf16), ("fp8", _fp8)):
        try:
            times = product()
        except (NotRun, RuntimeError, AttributeError) as error:
            found[f"{name}_tflop_per_s"] = None
            found[f"{name}_not_run"] = str(error).splitlines()[0]
        else:
            found[f"{name}_tflop_per_s"] = round(2 * _SIDE**3 / times.median_ms / 1e9, 1)
    found["clock_mhz"] = _clock()
    return found


def _bandwidths() -> dict[str, Any]:
    source = torch.empty(4 << 30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    wide = source.view(torch.bfloat16).view(1 << 15, -1)
    copy = gpu_times(lambda: target.copy_(source), cold=False)
    read = gpu_times(lambda: wide.amax(dim=1), cold=False)
    return {
        "copy_tb_per_s": round(2 * source.nbytes / copy.median_ms / 1e9, 3),
        "read_tb_per_s": round(source.nbytes / read.median_ms / 1e9, 3),
    }


def _bf16() -> Any:
    left, right = (torch.randn(_SIDE, _SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return gpu_times(lambda: left @ right.T, cold=False)


def _fp8() -> Any:
    if torch.cuda.get_device_capability() < (8, 9):
        raise NotRun("float8 products need compute capability 8.9")
    left, right = (torch.randn(_SIDE, _SIDE, device="cuda").to(torch.float8_e4m3fn) for _ in range(2))
    one = torch.ones((), device="cuda")
    return gpu_times(
        lambda: torch._scaled_mm(left, right.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16),
        cold=False,
    )


def _clock() -> int | str:
    try:
        return torch.cuda.clock_rate()
    except Exception as error:  # noqa: BLE001 - it needs a package of NVIDIA's that may be absent or too old
        return f"not known: {type(error).__name__}"
