"""Runs the reliability scripts in their short forms."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

_SKIPPED = 77


class RunScript(Protocol):
    """Runs a script of this folder; returns the figures that it prints."""

    def __call__(self, name: str, *arguments: str) -> dict[str, Any]:
        """Run with arguments; fails the test with what the script complains of."""


@pytest.fixture
def run_script() -> RunScript:
    """Scripts run as a person runs them; they remove their scratch files themselves."""

    def run(name: str, *arguments: str) -> dict[str, Any]:
        script = Path(__file__).with_name(name)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode == _SKIPPED:
            pytest.skip("a tmpfs may not be mounted here")
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-3000:]}"
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures

    return run
