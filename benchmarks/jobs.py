"""How a side of a comparison gets its job and hands in its result; needs nothing but Python."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["perform"]

Job = dict[str, Any]


def perform(work: Callable[[Job], Any]) -> None:
    """Read the job that the command line names, do it, and write the result where the job says."""
    job: Job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    result = work(job)
    Path(job["out"]).write_text(json.dumps(result), "utf-8")
