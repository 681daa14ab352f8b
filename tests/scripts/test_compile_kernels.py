"""The table of compiled kernels."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path

from ragvl.generator.kernels.compiling import Compiled

SCRIPTS = str(Path(__file__).parents[2] / "scripts")
sys.path.insert(0, SCRIPTS)
try:
    script = importlib.import_module("compile_kernels")
finally:
    sys.path.remove(SCRIPTS)

COMPILED = Compiled(
    name="gemv",
    architecture=90,
    num_warps=4,
    registers=96,
    stack_bytes=0,
    shared_bytes=2048,
    mma=0,
    wgmma=8,
    tcgen05=0,
    faults=(),
)


def test_table_has_a_row_for_each_kernel_and_a_column_for_each_architecture() -> None:
    """Stack and tensor-core instructions are shown where there are any; a hole is a dash."""
    spilling = replace(COMPILED, architecture=80, stack_bytes=64, wgmma=0, mma=16)
    other = replace(COMPILED, name="relu2", wgmma=0)
    assert script.table([COMPILED, spilling, other]).splitlines() == [
        "| kernel | warps | sm_80 | sm_90 |",
        "| --- | ---: | --- | --- |",
        "| gemv | 4 | 96 regs, 2.0 KiB, 64 B stack, 16 mma | 96 regs, 2.0 KiB, 8 wgmma |",
        "| relu2 | 4 | - | 96 regs, 2.0 KiB |",
    ]
