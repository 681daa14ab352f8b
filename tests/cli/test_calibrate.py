"""`ragvl calibrate`: a threshold that the index keeps, and how to be rid of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import ragvl as package
from ragvl.cli import session
from ragvl.doctor import diagnose
from ragvl.library import Library
from ragvl.testing import HashEncoder, write_documents

_SUBJECTS = ("harbour", "lighthouse", "crane", "dredger", "ferry", "warehouse", "quay", "lock", "tug", "buoy")


def _open(
    index: Path | None, profile: str | None = None, settings: Mapping[str, Any] | None = None
) -> Library:
    overrides = {"reading": {"workers": 1}, **(settings or {})}
    return package.open(index, profile, overrides=overrides, encoder=HashEncoder())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of ten questions with its index beside it."""
    folder = tmp_path_factory.mktemp("made")
    texts = {f"{one}.txt": f"The {one} opened in 19{n}0.\n" for n, one in enumerate(_SUBJECTS)}
    write_documents(folder / "mine" / "documents", texts)
    rows = [
        {"question": f"When was the {one} opened?", "document": f"{one}.txt", "pages": [1]}
        for one in _SUBJECTS
    ]
    (folder / "mine" / "questions.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    with _open(folder / ".ragvl") as library:
        library.index(folder / "mine" / "documents")
    return folder


@pytest.fixture
def mine(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them in the current folder, which the command opens with an encoder that needs no model."""
    monkeypatch.setattr(session, "open_library", _open)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "mine"


def test_the_index_keeps_what_was_chosen(mine: Path, ragvl: Any) -> None:
    """Answers follow it, the index stays sound, and indexing again leaves it."""
    done = ragvl("calibrate", "mine", "--error", "0.5")
    assert done.code == 0, done.stderr
    assert "10 questions on 10 documents" in done.stdout
    assert "at most 50.0% of these answers cite a wrong page" in done.stdout
    assert "10 questions are too few to fit it" in done.stdout
    with _open(None) as library:
        library.index(mine / "documents")
        kept = library.calibration()
        assert kept is not None
        assert (kept.questions, kept.asked, kept.error) == ("mine", 10, 0.5)
        answers = [library.ask(f"When was the {one} opened?") for one in _SUBJECTS]
        assert [one.refused for one in answers] == [one.support < kept.refuse_below for one in answers]
        assert sum(not one.refused for one in answers) == kept.answered
        assert not library.verify().damages


def test_a_library_that_is_open_follows_at_once(mine: Path, ragvl: Any) -> None:
    """No matter that it was opened before."""
    with _open(None) as library:
        assert library.calibration() is None
        assert ragvl("calibrate", "mine", "--error", "0.5").code == 0
        assert library.calibration() is not None


def test_doctor_tells_which_calibration_is_in_use(mine: Path, ragvl: Any) -> None:
    """The shipped one, or on what it was chosen and what it promises."""
    assert _told_by_doctor() == "extractive: as shipped"
    assert ragvl("calibrate", "mine", "--error", "0.5").code == 0
    told = _told_by_doctor()
    assert "chosen on 10 questions of 'mine'" in told
    assert "at most 50% of the answers given cite a wrong page" in told


def _told_by_doctor() -> str:
    (detail,) = [check.detail for check in diagnose().checks if check.name == "calibration"]
    return detail


def test_a_dry_run_changes_nothing(mine: Path, ragvl: Any) -> None:
    """The JSON says what would be kept."""
    done = ragvl("calibrate", "mine", "--error", "0.5", "--dry-run", "--json")
    assert done.code == 0
    told = json.loads(done.stdout)
    assert told["kept"] is False
    assert told["chosen"]["wrong"] == 0
    assert told["promise"] == {"error": 0.5, "confidence": 0.95}
    with _open(None) as library:
        assert library.calibration() is None


def test_what_cannot_be_promised_changes_nothing(mine: Path, ragvl: Any) -> None:
    """Exit 1, with what it would take; what was kept before stays."""
    assert ragvl("calibrate", "mine", "--error", "0.5").code == 0
    done = ragvl("calibrate", "mine", "--error", "0.05")
    assert done.code == 1
    assert "No threshold can promise it" in done.stdout
    assert "What it would take: --error 0." in done.stdout
    assert "Nothing was changed." in done.stdout
    with _open(None) as library:
        kept = library.calibration()
    assert kept is not None
    assert kept.error == 0.5


def test_reset_goes_back_to_what_is_shipped(mine: Path, ragvl: Any) -> None:
    """Once forgotten there is nothing left to forget."""
    assert ragvl("calibrate", "mine", "--error", "0.5").code == 0
    assert "the shipped threshold is back" in ragvl("calibrate", "--reset").stdout
    assert "nothing to forget" in ragvl("calibrate", "--reset").stdout
    with _open(None) as library:
        assert library.calibration() is None
        assert library.generator() is not None


def test_reset_needs_an_index(mine: Path, ragvl: Any) -> None:
    """A mistyped folder is told, and none is made."""
    done = ragvl("calibrate", "--reset", "--index", "elsewhere")
    assert done.code == 1
    assert "no index at" in done.stderr
    assert not Path("elsewhere").exists()


def test_the_page_is_written(mine: Path, ragvl: Any, tmp_path: Path) -> None:
    """With the curve as a picture."""
    done = ragvl("calibrate", "mine", "--error", "0.5", "--dry-run", "--out", "page.html")
    assert done.code == 0
    assert "page.html" in done.stdout
    assert '<svg class="plane"' in (tmp_path / "page.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name a set of questions, or give --reset"),
        (("mine", "--reset"), "name a set of questions, or give --reset"),
        (("mine", "--error", "10"), "write a share between 0 and 1"),
        (("mine", "--confidence", "1"), "write a share between 0 and 1"),
    ],
)
def test_wrong_use_is_told(mine: Path, ragvl: Any, arguments: tuple[str, ...], told: str) -> None:
    """Before anything is asked."""
    done = ragvl("calibrate", *arguments)
    assert done.code == 2
    assert told in done.stderr


def test_a_threshold_that_is_configured_goes_first(mine: Path, ragvl: Any) -> None:
    """The command says so, since its own would not be seen."""
    done = ragvl("calibrate", "mine", "--error", "0.5", "--set", "generator.refuse_below=0.9")
    assert done.code == 0
    assert "goes before the calibration" in done.stderr
