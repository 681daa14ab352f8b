"""What a run is made of: the request, the dataset, the folder that it is kept in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ragvl.evals.records import RunRequest
    from ragvl.evals.types import EvalSet

__all__ = ["RUNS", "load_dataset", "new_request", "new_run_folder", "resumed_request"]

RUNS = "runs"


def load_dataset(request: RunRequest) -> EvalSet:
    """Load the set that a request names."""
    from ragvl.evals.datasets import load_set

    return load_set(
        request.dataset,
        language=request.language or None,
        folder=request.data,
        revision=request.revision or None,
    )


def new_request(asked: Mapping[str, Any]) -> tuple[RunRequest, EvalSet]:
    """
    Make a request out of options, and load its set.

    Answers that were neither asked for nor declined are asked for where both set and system have them.
    """
    from ragvl.evals.harness import make_system
    from ragvl.evals.records import RunRequest

    answers = asked["answers"]
    request = RunRequest(**{**asked, "answers": bool(answers)})
    system = make_system(request)  # a mistake in its settings is told before a set is loaded
    corpus = load_dataset(request)
    if answers is None:
        request = replace(request, answers=system.answers and bool(corpus.answer_rule))
    system.close()
    return request, corpus


def resumed_request(folder: Path, given: Mapping[str, Any]) -> RunRequest:
    """
    Take a run's request; what is given differently now is put in, for the harness to refuse it by name.

    Raises:
        RunFolderError: there is no run in the folder.
    """
    from ragvl.evals.run_folder import load_run

    return replace(load_run(folder).record.request, **given)


def new_run_folder(request: RunRequest, corpus: EvalSet) -> Path:
    """Name a folder for a run in the folder of runs: set, system, and the time in UTC."""
    told = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{corpus.name}-{request.system}")
    return request.work / RUNS / f"{told}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
