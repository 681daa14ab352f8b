"""`ragvl doctor` as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ragvl.doctor
from ragvl.doctor import Check, Diagnosis, Verdict

GOOD = Check("python", Verdict.OK, "3.12")
LESS = Check("libreoffice", Verdict.WARN, "not found", "sudo apt install libreoffice")
BAD = Check("encoder", Verdict.MISSING, "damaged\x1b[2J", "pip install --force-reinstall ragvl")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets a test say what the doctor finds."""

    def find(*checks: Check) -> None:
        monkeypatch.setattr(ragvl.doctor, "diagnose", lambda _index: Diagnosis(checks))

    return find


def test_nothing_needed_is_missing(ragvl: Any, found: Any) -> None:
    """What merely could be better is a warning with its remedy, and exit 0."""
    found(GOOD, LESS)
    outcome = ragvl("doctor")
    assert outcome.code == 0
    assert "→ sudo apt install libreoffice" in outcome.stdout


def test_something_needed_is_missing(ragvl: Any, found: Any) -> None:
    """What ragvl cannot do without ends with 1."""
    found(GOOD, BAD)
    outcome = ragvl("doctor")
    assert outcome.code == 1
    assert "missing  encoder  damaged[2J" in outcome.stdout


def test_as_json(ragvl: Any, found: Any) -> None:
    """`--json` writes every check and the verdict."""
    found(GOOD, BAD)
    outcome = ragvl("doctor", "--json")
    written = json.loads(outcome.stdout)
    assert (outcome.code, written["sound"]) == (1, False)
    assert written["checks"][0] == {"name": "python", "verdict": "ok", "detail": "3.12", "remedy": ""}


def test_named_index_is_looked_at(ragvl: Any, tmp_path: Path) -> None:
    """`--index` says which index is meant; one that is not there yet is no failure of the machine."""
    checks = json.loads(ragvl("doctor", "--index", str(tmp_path / "none"), "--json").stdout)["checks"]
    (index,) = [check for check in checks if check["name"] == "index"]
    assert str(tmp_path / "none") in index["detail"]


def test_the_generator_is_tried_when_asked_for(
    ragvl: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--generator` says plainly what could not be tried here; without it nothing is."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    index = ("--index", str(tmp_path / "none"))
    checks = json.loads(ragvl("doctor", "--generator", *index, "--json").stdout)["checks"]
    told = {check["name"]: (check["verdict"], check["detail"]) for check in checks}
    assert told["kernels"] == ("ok", "not checked: no GPU here; plain PyTorch runs in their place")
    assert told["speed"] == ("ok", "not measured: the generator extractive runs no model here")
    plain = json.loads(ragvl("doctor", *index, "--json").stdout)["checks"]
    assert {"kernels", "speed"}.isdisjoint(check["name"] for check in plain)
