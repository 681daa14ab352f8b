"""One look after the other, none of which can hide the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ragvl.doctor import generator as generators
from ragvl.doctor import library, machine, models, packages, programs
from ragvl.doctor.findings import Check, Diagnosis, Verdict


def diagnose(index: Path | None = None, *, generator: bool = False) -> Diagnosis:
    """
    Look at this machine.

    Args:
        index: the index folder; None finds it as the command line does.
        generator: try the kernels and the generator as well, which may take minutes.
    """
    looks: dict[str, Callable[[], Iterator[Check]]] = {
        "python": packages.python,
        "packages": packages.packages,
        "index": lambda: library.index(index),
        "encoder": programs.encoder,
        "inference": packages.inference,
        "ocr": programs.ocr,
        "pdf": packages.pdf,
        "faiss": packages.faiss,
        "libreoffice": programs.office,
        "disk": lambda: machine.disk(index),
        "processor": machine.processor,
        "gpu": machine.gpu,
        "models": lambda: models.models(index),
        "terminal": machine.terminal,
    }
    if generator:
        looks["generator"] = lambda: generators.generator(index)
    return Diagnosis(tuple(check for name, look in looks.items() for check in _looked(name, look)))


def _looked(name: str, look: Callable[[], Iterator[Check]]) -> list[Check]:
    """Run one look; whatever goes wrong in it is a finding, for the others must still be told."""
    try:
        return list(look())
    except Exception as error:  # noqa: BLE001 -- a broken installation can fail in any way
        remedy = "pip install --force-reinstall ragvl"
        return [Check(name, Verdict.MISSING, f"{type(error).__name__}: {error}", remedy)]
