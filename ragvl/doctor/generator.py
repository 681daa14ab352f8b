"""The generator that runs here: whether its kernels can be trusted, and how quick it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ragvl.doctor.findings import Check, Verdict, version_of
from ragvl.errors import RagvlError

if TYPE_CHECKING:
    from ragvl.config import Config

_INSTALL = 'pip install "ragvl[vl]"'


def generator(index: Path | None) -> Iterator[Check]:
    """
    Check the kernels on this machine's GPU, then measure the configured generator; minutes, the first time.

    Args:
        index: the index folder; None finds it as the command line does.
    """
    if not version_of("torch"):
        yield Check("kernels", Verdict.WARN, "not checked: torch is not installed", _INSTALL)
        yield Check("speed", Verdict.WARN, "not measured: torch is not installed", _INSTALL)
        return
    import torch

    if torch.cuda.is_available():
        yield _kernels()
    else:
        yield Check("kernels", Verdict.OK, "not checked: no GPU here; plain PyTorch runs in their place")
    # Late: the facade needs packages that are looked for before.
    from ragvl.library import find_index, open

    with open(index or find_index()) as library:
        yield _speed(library.config, has_gpu=torch.cuda.is_available())


def _kernels() -> Check:
    import torch

    from ragvl.generator.kernels.choice import OPERATIONS, kernel_of, runs_kernels, twin_of
    from ragvl.generator.kernels.self_check import kernel_agrees

    where = torch.device("cuda")
    if not runs_kernels(where):
        return Check("kernels", Verdict.WARN, "not checked: triton is not installed", _INSTALL)
    wrong = [name for name in OPERATIONS if not kernel_agrees(name, where, kernel_of, twin_of(name))]
    if not wrong:
        words = f"all {len(OPERATIONS)} agree with plain PyTorch on {torch.cuda.get_device_name(where)}"
        return Check("kernels", Verdict.OK, words)
    return Check(
        "kernels",
        Verdict.WARN,
        f"{', '.join(wrong)} of {len(OPERATIONS)} not used: they fail or differ, and plain PyTorch runs instead",
        "run with -v for what is wrong, and report it",
    )


def _speed(config: Config, *, has_gpu: bool) -> Check:
    name, settings = config.generator.name, config.generator.nemotron
    if name != "nemotron":
        return Check("speed", Verdict.OK, f"not measured: the generator {name} runs no model here")
    if not has_gpu:
        return Check("speed", Verdict.WARN, f"not measured: no GPU here for {settings.model}")
    from ragvl.generator.nemotron.measuring import measure
    from ragvl.generator.nemotron.session import open_session
    from ragvl.models import device_arbiter

    try:
        session = open_session(settings, device_arbiter(settings.device, config.device), None)
        speed = measure(session)
    except RagvlError as error:
        return Check("speed", Verdict.WARN, f"not measured: {error}")
    detail = (
        f"{settings.model}: loaded in {speed.loading_s:.1f} s, reads {speed.read_tokens / speed.reading_s:,.0f} "
        f"tokens a second ({speed.read_tokens:,} tokens of text), writes "
        f"{speed.written_tokens / max(speed.writing_s, 1e-9):,.1f} a second, one answer at a time"
    )
    return Check("speed", Verdict.OK, detail)
