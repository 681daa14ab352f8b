"""What a measurement ran on: processor, memory, versions of what took part."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["PEER_PACKAGES", "RAGVL_PACKAGES", "describe_machine", "versions"]

RAGVL_PACKAGES = ("ragvl", "faiss-cpu", "apsw", "openvino", "onnxruntime", "pymupdf", "pypdfium2", "rapidocr")
PEER_PACKAGES = (
    "llama-index-core",
    "llama-index-retrievers-bm25",
    "llama-index-vector-stores-faiss",
    "llama-index-embeddings-huggingface",
    "sentence-transformers",
    "transformers",
    "torch",
    "faiss-cpu",
    "pymupdf",
)
_ASK_VERSIONS = """
import importlib.metadata, json, platform, sys
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = "absent"
print(json.dumps(found))
"""


def describe_machine(**interpreters: tuple[str, Sequence[str]]) -> str:
    """
    Describe the machine and each side's packages as a Markdown list.

    Args:
        interpreters: name of a side to (interpreter, packages).
    """
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    lines = [
        f"- processor: {_processor()}, {cores} cores, bfloat16: {'yes' if _has_bfloat16() else 'no'}; {memory_gib:.0f} GiB",
        f"- system: {platform.system()} {platform.release()}; load average at the start: {os.getloadavg()[0]:.1f}",
    ]
    for name, (interpreter, packages) in interpreters.items():
        found = versions(interpreter, packages)
        lines.append(f"- {name}: {', '.join(f'{package} {version}' for package, version in found.items())}")
    return "\n".join([*lines, ""])


def versions(interpreter: str, packages: Sequence[str]) -> dict[str, str]:
    """Ask an interpreter for its own version and those of packages."""
    command = [interpreter, "-c", _ASK_VERSIONS, *packages]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, str] = json.loads(answer)
    return found


def _processor() -> str:
    return _cpu_field("model name") or platform.processor() or "unknown"


def _has_bfloat16() -> bool:
    return any(flag in _cpu_field("flags").split() for flag in ("avx512_bf16", "amx_bf16"))


def _cpu_field(name: str) -> str:
    information = Path("/proc/cpuinfo")
    for line in information.read_text().splitlines() if information.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
