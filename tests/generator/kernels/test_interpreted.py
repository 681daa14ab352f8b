"""Every kernel's arithmetic, in Triton's interpreter, which has to be chosen before a kernel is decorated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(sys.platform != "linux", reason="Triton has wheels for Linux only")
def test_kernels_compute_in_the_interpreter_what_float64_says() -> None:
    """The files named in_interpreter.py pass in a process of their own that interprets kernels."""
    files = sorted(map(str, HERE.glob("*/in_interpreter.py")))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        cwd=HERE.parents[2],
        env={**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(files) >= 5
