"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version


class Verdict(StrEnum):
    """What became of a check."""

    OK = "ok"
    WARN = "warn"  # ragvl works, with less
    MISSING = "missing"  # something needed is not there, or not sound


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: its name, the verdict, what was found, and the command or step that mends it ("" for none)."""

    name: str
    verdict: Verdict
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings; `sound` when nothing needed is missing."""

    checks: tuple[Check, ...]

    @property
    def sound(self) -> bool:
        """Whether ragvl can work here."""
        return all(check.verdict is not Verdict.MISSING for check in self.checks)


def needed(there: bool) -> Verdict:
    """The verdict on something that ragvl cannot do without."""
    return Verdict.OK if there else Verdict.MISSING


def version_of(distribution: str) -> str:
    """The installed version of a package; "" when it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
