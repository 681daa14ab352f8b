"""
Compile every Triton kernel for every architecture, without a GPU, and print the table of docs/kernels.md.

    python scripts/compile_kernels.py [--architecture 90 ...] [--operation gemv ...] [--processes 2]

Exit code 1 when a kernel breaks a limit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from ragvl.generator.kernels.cases import ARCHITECTURES
from ragvl.generator.kernels.choice import OPERATIONS
from ragvl.generator.kernels.compiling import Compiled, compile_jobs, jobs


def main() -> int:
    """Return 0 when every kernel keeps its limits."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--architecture", type=int, action="append", choices=ARCHITECTURES)
    parser.add_argument("--operation", action="append", choices=OPERATIONS)
    parser.add_argument("--processes", type=int)
    wanted = parser.parse_args()
    compiled = compile_jobs(
        jobs(wanted.architecture or ARCHITECTURES, wanted.operation or OPERATIONS), wanted.processes
    )
    print(f"Triton {version('triton')}\n\n{table(compiled)}")
    broken = [f"{each.name} on {each.architecture}: {fault}" for each in compiled for fault in each.faults]
    print("".join(f"\n- {line}" for line in broken))
    return 1 if broken else 0


def table(compiled: Sequence[Compiled]) -> str:
    """Return a Markdown table: a row for each kernel, a column for each architecture."""
    architectures = sorted({each.architecture for each in compiled})
    rows: dict[tuple[str, int], dict[int, str]] = {}
    for each in compiled:
        rows.setdefault((each.name, each.num_warps), {})[each.architecture] = _cell(each)
    lines = [
        f"| kernel | warps | {' | '.join(f'sm_{each}' for each in architectures)} |",
        f"| --- | ---: | {' | '.join('---' for _ in architectures)} |",
    ]
    for (name, warps), cells in rows.items():
        lines.append(f"| {name} | {warps} | {' | '.join(cells.get(each, '-') for each in architectures)} |")
    return "\n".join(lines)


def _cell(compiled: Compiled) -> str:
    cores = {"wgmma": compiled.wgmma, "tcgen05": compiled.tcgen05, "mma": compiled.mma}
    parts = [f"{compiled.registers} regs", f"{compiled.shared_bytes / 1024:.1f} KiB"]
    parts += [f"{compiled.stack_bytes} B stack"] if compiled.stack_bytes else []
    parts += [f"{count} {name}" for name, count in cores.items() if count]
    return ", ".join(parts)


if __name__ == "__main__":
    sys.exit(main())
