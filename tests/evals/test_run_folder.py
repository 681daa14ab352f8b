"""A run's files: what is written is read back, and what is damaged is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ragvl.evals.harness import evaluate
from ragvl.evals.records import Outcome, RunRequest
from ragvl.evals.run_folder import RunFolder, RunFolderError, find_runs, load_run
from ragvl.evals.types import QueryResult, SystemAnswer, SystemCitation
from tests.evals.fake_system import FakeSystem, make_set

ODD = "q\u2028 \N{BLACK HEART SUIT} \r\n“é”\x85"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run."""
    evaluate(
        RunRequest("made-up", settings={"retrieval": {"candidates": 50}}, index=Path("/x/y")),
        make_set(),
        FakeSystem(),
        RunFolder(tmp_path / "run"),
    )
    return tmp_path / "run"


def test_any_text_and_number_comes_back(folder: Path) -> None:
    """Line ends of every kind in ids, boxes, and scores to the last bit."""
    answer = SystemAnswer(
        ODD, False, 0.1, (SystemCitation(ODD, True, False, ((0.1, 0.2, 1 / 3, 1.0),)),), (ODD,)
    )
    outcome = Outcome(
        QueryResult(ODD, {ODD: 1 / 3, "b": 5e-324}, 0.1 + 0.2, answer, 1e-9, ODD),
        QueryResult(ODD, {}, 0.0),
    )
    RunFolder(folder).append(outcome)
    assert load_run(folder).outcomes[ODD] == outcome


def test_the_request_comes_back(folder: Path) -> None:
    """Paths and nested settings, too."""
    request = load_run(folder).record.request
    assert request.settings == {"retrieval": {"candidates": 50}}
    assert request.index == Path("/x/y")


def test_a_torn_last_line_is_passed_over(folder: Path) -> None:
    """What a killed run leaves is no damage."""
    results = folder / "results.jsonl"
    results.write_bytes(results.read_bytes()[:-20])
    assert "q11" not in load_run(folder).outcomes
    RunFolder(folder).drop_torn_line()
    assert results.read_bytes().endswith(b"}\n")


def test_a_damaged_line_is_named(folder: Path) -> None:
    """File, line, field."""
    results = folder / "results.jsonl"
    lines = results.read_text().splitlines()
    lines[2] = lines[2].replace('"search_s": ', '"search_s": "soon", "x": ')
    results.write_text("\n".join(lines) + "\n")
    with pytest.raises(RunFolderError, match=r"results.jsonl, line 3: result.search_s: .* damaged"):
        load_run(folder)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"format": 99}', "has format 99, this ragvl reads 1"),
        ("[]", "has format None"),
        ("{", "is not JSON"),
    ],
)
def test_other_files_are_no_runs(folder: Path, content: str, told: str) -> None:
    """A run of a newer ragvl is not guessed at."""
    (folder / "run.json").write_text(content)
    with pytest.raises(RunFolderError, match=told):
        load_run(folder)


def test_runs_are_found(folder: Path) -> None:
    """Folders that hold a run, and no others."""
    (folder.parent / "other").mkdir()
    assert find_runs(folder.parent) == [folder]
    assert find_runs(folder / "nowhere") == []
    with pytest.raises(RunFolderError, match=r"holds no run: there is no run.json"):
        load_run(folder.parent / "other")


def test_the_files_are_json(folder: Path) -> None:
    """Any program reads them: numbers that JSON has not are never written."""
    for name in ("run.json", "metrics.json"):
        json.loads((folder / name).read_text(), parse_constant=pytest.fail)
