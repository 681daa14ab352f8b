"""
Build, check and time everything that runs on a GPU, in one command.

    python scripts/gpu_check.py [--section NAME ...] [--into docs] [--timeout-s 1200]

Writes gpu-check.json and gpu-check.md. Each section runs in a process of its own: one that fails, hangs or lacks a
part takes no other with it, and the page says what was not run and why. Exit code 0 when all that ran is sound,
1 when not, 2 when there is no GPU to run on.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gpu_sections.report import markdown

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = {
    "roofs": "gpu_sections.roofs:run",
    "kernels": "gpu_sections.kernels:run",
    "scan": "gpu_sections.scan:run",
    "operations": "gpu_sections.operations:run",
    "decode": "gpu_sections.model:decode",
    "decode_fp8": "gpu_sections.model:decode_fp8",
    "ttft": "gpu_sections.model:ttft",
    "ttft_fp8": "gpu_sections.model:ttft_fp8",
}
"""Name to function, which takes what the sections before it found and returns numbers, in the order of running."""

NEEDS = """\
It needs
- an NVIDIA GPU of compute capability 8.0 or newer (float8 sections: 8.9), with 36 GiB free for the sections that
  run the whole model in bfloat16 (24 GiB in float8); with less, those say so and the others run;
- a CUDA build of torch, 2.6 or newer, and triton, 3.2 or newer: pip install "ragvl[vl]" on Linux;
- to measure against: mamba-ssm and transformers, each where installed."""


def main() -> int:
    """Run the sections that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--section", action="append", choices=SECTIONS, help="all when not given")
    parser.add_argument("--into", type=Path, default=ROOT / "docs", help="folder of the results")
    parser.add_argument("--timeout-s", type=float, default=1200.0, help="of each section")
    parser.add_argument("--child", nargs=3, metavar=("SECTION", "KNOWN", "RESULT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return _child(*arguments.child)
    missing = _missing()
    if missing:
        print(f"Nothing was run: {missing}.\n{NEEDS}", file=sys.stderr)
        return 2
    arguments.into.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {"environment": _environment(), "sections": {}}
    for name in SECTIONS:
        if arguments.section and name not in arguments.section:
            found["sections"][name] = {"status": "not run", "reason": "not asked for"}
            continue
        print(f"{name} ...", end=" ", flush=True)
        found["sections"][name] = _section(name, found["sections"], arguments.timeout_s)
        print(_line(found["sections"][name]), flush=True)
        _write(arguments.into, found)
    _write(arguments.into, found)
    return 0 if all(_sound(section) for section in found["sections"].values()) else 1


def _missing() -> str | None:
    """Say what keeps every section from running."""
    for package in ("torch", "triton"):
        try:
            importlib.import_module(package)
        except ImportError:
            return f"{package} is not installed"
    import torch

    if not torch.cuda.is_available():
        return f"torch {torch.__version__} sees no CUDA device"
    capability = torch.cuda.get_device_capability()
    if capability < (8, 0):
        return f"{torch.cuda.get_device_name()} has compute capability {capability[0]}.{capability[1]}"
    return None


def _section(name: str, before: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ragvl-gpu-") as folder:
        known, result = Path(folder) / "known.json", Path(folder) / "result.json"
        known.write_text(json.dumps({key: section.get("result") for key, section in before.items()}))
        command = [sys.executable, str(Path(__file__).resolve()), "--child", name, str(known), str(result)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired:
            return {"status": "failed", "reason": f"not done after {timeout_s:.0f} s"}
        if result.exists():
            section: dict[str, Any] = json.loads(result.read_text())
        else:
            tail = " / ".join((run.stderr or run.stdout).strip().splitlines()[-3:])
            section = {"status": "failed", "reason": f"exit code {run.returncode}: {tail}"}
    return section | {"seconds": round(time.perf_counter() - start, 1)}


def _child(name: str, known: str, result: str) -> int:
    """Run one section in this process and leave what it found in a file."""
    import torch
    from gpu_sections.timing import NotRun

    module, _, function = SECTIONS[name].partition(":")
    try:
        with torch.no_grad():
            numbers = getattr(importlib.import_module(module), function)(json.loads(Path(known).read_text()))
        section = {"status": "ok", "result": numbers}
    except NotRun as reason:
        section = {"status": "not run", "reason": str(reason)}
    except ModuleNotFoundError as error:
        section = {"status": "not run", "reason": f"a part is missing: {error}"}
    Path(result).write_text(json.dumps(section))
    return 0


def _environment() -> dict[str, Any]:
    import torch

    device = torch.cuda.get_device_properties(0)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _output("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "gpu": device.name,
        "compute_capability": f"{device.major}.{device.minor}",
        "multiprocessors": device.multi_processor_count,
        "memory_gib": round(device.total_memory / 2**30, 1),
        "driver": _output(
            "nvidia-smi", "--query-gpu=driver_version,clocks.max.sm,power.limit", "--format=csv,noheader"
        ),
        "python": platform.python_version(),
        "cuda_of_torch": torch.version.cuda,
        **{
            name: _version(name) for name in ("torch", "triton", "transformers", "mamba-ssm", "causal-conv1d")
        },
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _output(*command: str) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return "not known"
    return run.stdout.strip()


def _sound(section: dict[str, Any]) -> bool:
    result = section.get("result") or {}
    return (
        section["status"] != "failed"
        and result.get("sound", True)
        and result.get("graph_gives_the_bits_of_eager", True)
    )


def _line(section: dict[str, Any]) -> str:
    sound = "" if _sound(section) or section["status"] == "failed" else ", NOT SOUND"
    reason = f": {section['reason']}" if section.get("reason") else ""
    return f"{section['status']}{sound} ({section.get('seconds', 0):.0f} s){reason}"


def _write(folder: Path, found: dict[str, Any]) -> None:
    (folder / "gpu-check.json").write_text(json.dumps(found, indent=1) + "\n")
    (folder / "gpu-check.md").write_text(markdown(found))


if __name__ == "__main__":
    sys.exit(main())
