"""`ragvl eval run`, `compare` and `list`: what they print, keep, refuse, and how they end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ragvl import registry
from ragvl.cli.app import app
from ragvl.evals import datasets
from ragvl.evals.records import RunMetrics
from ragvl.evals.run_folder import load_run
from ragvl.testing import write_documents
from tests.cli.test_app import HEAVY
from tests.evals.fake_system import FakeSystem, make_set

ROOT = Path(__file__).parents[2]
COMMANDS = ("run", "compare", "list")
FAKE = {"fake": "tests.cli.test_eval:Fake", "searcher": "tests.cli.test_eval:Searcher"}
# The fake, in a process of its own, which a signal hits in the middle of a query.
STRUCK = """
import os, signal, sys
from ragvl import registry
from ragvl.cli import main
from ragvl.evals import datasets
from tests.cli import test_eval
from tests.evals.fake_system import make_set

signal.signal(signal.SIGINT, signal.default_int_handler)  # where a shell ignores it

class Struck(test_eval.Fake):
    def answer(self, query, pages=()):
        if query.id == "q7":
            os.kill(os.getpid(), int(sys.argv[1]))
        return super().answer(query, pages)

test_eval.Fake = Struck
registry.BUILT_IN["eval_system"].update(test_eval.FAKE)
datasets.load_set = lambda *_, **__: make_set()
sys.exit(main(["eval", "run", "made-up", "--system", "fake", "--out", "run", "--oracle"]))
"""


class Fake(FakeSystem):
    """Made as the harness makes systems."""

    def __init__(self, options: Any) -> None:
        super().__init__(configuration=dict(options.settings))


class Searcher(Fake):
    """One that only searches, and finds little."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.name, self.answers = "searcher", False

    def search(self, query: Any, k: int, document: str = "") -> Any:
        return {} if query.id != "q1" else super().search(query, k, document)


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set named made-up, and systems that are not there."""
    systems = {**registry.BUILT_IN["eval_system"], **FAKE}
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, "eval_system": systems})
    monkeypatch.setattr(datasets, "load_set", lambda *_, **__: make_set())


def lasting(metrics: RunMetrics | None) -> Any:
    """What two runs of the same share."""
    assert metrics is not None
    return metrics.metrics, metrics.groups, metrics.per_query, metrics.counts


def test_a_run_is_told_and_kept(ragvl: Any) -> None:
    """A table of means with intervals and groups, costs, failures, and where it is kept; progress on stderr."""
    outcome = ragvl("eval", "run", "made-up", "--system", "fake", "--out", "kept", "--oracle")
    assert outcome.code == 0
    assert re.search(r"^ndcg@5 \*\s+0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]\s+\d", outcome.stdout, re.MULTILINE)
    assert re.search(
        r"^metric\s+all documents\s+own document\s+right pages given$", outcome.stdout, re.MULTILINE
    )
    assert re.search(r"^even\s+6\s+0\.\d", outcome.stdout, re.MULTILINE)
    assert re.search(r"^answer\.accuracy\s+1\.000", outcome.stdout, re.MULTILINE)
    assert "12 queries, 10 with judged pages; 20 pages" in outcome.stdout
    assert "not indexed in full: d9: locked: no password" in outcome.stdout
    assert "kept in kept" in outcome.stdout
    assert outcome.stderr == "asked 12/12 queries\n"
    run = load_run(Path("kept"))
    assert run.record.request.answers
    assert run.record.request.k == 100


def test_a_run_as_json(ragvl: Any) -> None:
    """One document, with the metrics that the table shows."""
    outcome = ragvl("eval", "run", "made-up", "--system", "fake", "--out", "kept", "--json")
    told = json.loads(outcome.stdout)
    metrics = load_run(Path("kept")).metrics
    assert metrics is not None
    assert told["metrics"]["ndcg@5"]["mean"] == metrics.metrics["ndcg@5"].mean
    assert (told["main"], told["run"], told["missed"], told["failures"]) == ("ndcg@5", "kept", [], {})
    assert told["dataset"]["board"] == "a board"


def test_runs_are_kept_in_the_work_folder(ragvl: Any) -> None:
    """Under their set and system; a set with answers is answered where the system can."""
    assert ragvl("eval", "run", "made-up", "--system", "searcher", "--work", "w").code == 0
    (folder,) = Path("w/runs").iterdir()
    assert re.fullmatch(r"made-up-searcher-\d{8}T\d{6}", folder.name)
    assert not load_run(folder).record.request.answers
    outcome = ragvl("eval", "run", "made-up", "--system", "searcher", "--answers")
    assert outcome.code == 1
    assert "searcher only searches: leave out --answers" in outcome.stderr


def test_fail_under(ragvl: Any) -> None:
    """A mean that is too low ends the command with 1, and is told by how much; the run is kept."""
    run = ("eval", "run", "made-up", "--system", "fake", "--no-answers")
    good = ragvl(*run, "--out", "one", "--fail-under", "recall@100=1", "--fail-under", "ndcg@5=0.01")
    assert good.code == 0
    bad = ragvl(*run, "--out", "two", "--fail-under", "in_document.recall@5=1", "--fail-under", "ndcg@5=0.95")
    metrics = load_run(Path("two")).metrics
    assert metrics is not None
    mean = metrics.metrics["ndcg@5"].mean
    assert bad.code == 1
    assert f"--fail-under: ndcg@5 is {mean:.4f}, {0.95 - mean:.4f} under 0.95\n" in bad.stderr
    as_json = ragvl(*run, "--out", "three", "--fail-under", "ndcg@5=0.95", "--json")
    assert as_json.code == 1
    assert json.loads(as_json.stdout)["missed"] == [f"ndcg@5 is {mean:.4f}, {0.95 - mean:.4f} under 0.95"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name a dataset"),
        (("made-up", "--fail-under", "ndcg@5"), "METRIC=VALUE"),
        (("made-up", "--fail-under", "ndcg@5=55"), "from 0 to 1"),
        (("made-up", "--system", "fake", "--fail-under", "ncdg@5=0.5"), "did you mean 'ndcg@5'?"),
        (("made-up", "--k", "5"), "greater than or equal to 10"),
        (("made-up", "--resum", "x"), "Did you mean --resume?"),
        (("made-up", "--resume", "x", "--out", "y"), "leave out --out"),
    ],
)
def test_wrong_use(ragvl: Any, arguments: tuple[str, ...], told: str) -> None:
    """A mistyped line ends with 2 in one line, before anything is kept."""
    outcome = ragvl("eval", "run", *arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert told in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("made-up", "--system", "ragvil"), "no eval system named 'ragvil'; known: bm25, dense, fake"),
        (("made-up", "--set", "retrieval.candidate=9"), "did you mean 'candidates'"),
        (("made-up", "--profile", "embeded"), "did you mean 'embedded'"),
        (("made-up", "--system", "fake", "--language", "de"), "no queries in 'de'; it has en, fr"),
        (("made-up", "--resume", "nowhere"), "nowhere holds no run"),
        (
            ("made-up", "--system", "fake", "--fail-under", "answer.accurracy=0.5"),
            "did you mean 'answer.accuracy'?",
        ),
    ],
)
def test_failures(ragvl: Any, arguments: tuple[str, ...], told: str) -> None:
    """What cannot be is told in one line with what to do, and ends with 1."""
    outcome = ragvl("eval", "run", *arguments)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert told in outcome.stderr.splitlines()[-1]


@pytest.mark.parametrize(("signal", "code"), [(2, 130), (9, -9)])
def test_a_run_that_a_signal_stopped_is_gone_on_with(
    ragvl: Any, tmp_path: Path, signal: int, code: int
) -> None:
    """After Ctrl-C and after a kill the same metrics come out as without; Ctrl-C says how to go on."""
    struck = subprocess.run(
        [sys.executable, "-c", STRUCK, str(signal)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert struck.returncode == code, struck.stderr
    if code == 130:
        assert "stopped after 7 of 12 queries; go on with: ragvl eval run --resume run" in struck.stderr
    assert len(load_run(Path("run")).outcomes) == 7
    assert ragvl("eval", "run", "--resume", "run", "--k", "50").stderr == (
        "error: run cannot be resumed: request.k was 100 and is 50 now. Bring back what it was, or start a new run\n"
    )
    assert ragvl("eval", "run", "--resume", "run").code == 0
    assert ragvl("eval", "run", "made-up", "--system", "fake", "--oracle", "--out", "whole").code == 0
    assert lasting(load_run(Path("run")).metrics) == lasting(load_run(Path("whole")).metrics)


def test_compare(ragvl: Any) -> None:
    """Differences with intervals and a verdict in words; on other data there is none."""
    for system, out in (("fake", "one"), ("fake", "two"), ("searcher", "three")):
        ragvl("eval", "run", "made-up", "--system", system, "--no-answers", "--out", out)
    told = ragvl("eval", "compare", "one", "two", "three")
    assert told.code == 0
    same, worse = told.stdout.split("\nthree\n")
    number = r"[+-]\d\.\d{3}"
    assert re.search(r"^ndcg@5 \*.*\+0\.000 \[\+0\.000, \+0\.000\]\s+inside the noise$", same, re.MULTILINE)
    assert re.search(
        rf"^recall@100\s+1\.000\s+0\.100\s+-0\.900 \[{number}, {number}\]\s+worse$", worse, re.MULTILINE
    )
    as_json = json.loads(ragvl("eval", "compare", "one", "three", "--json").stdout)
    assert as_json["runs"] == ["one", "three"]
    assert as_json["metrics"][0]["others"][0]["verdict"] in {"worse", "inside the noise"}
    ragvl("eval", "run", "made-up", "--system", "fake", "--limit", "6", "--out", "few")
    refused = ragvl("eval", "compare", "one", "few")
    assert refused.code == 1
    assert "cannot be compared, their data differ: dataset.queries is 12 and 6" in refused.stderr


def test_list(ragvl: Any) -> None:
    """Sets, systems and runs, finished or not; a damaged run is named and hides no other."""
    assert "no runs yet" in ragvl("eval", "list").stdout
    ragvl("eval", "run", "made-up", "--system", "fake", "--out", ".ragvl-eval/runs/good")
    ragvl("eval", "run", "made-up", "--system", "fake", "--out", ".ragvl-eval/runs/half")
    half = Path(".ragvl-eval/runs/half")
    (half / "metrics.json").unlink()
    (half / "results.jsonl").write_text("")
    bad = Path(".ragvl-eval/runs/bad")
    bad.mkdir()
    (bad / "run.json").write_text("{")
    told = ragvl("eval", "list")
    assert told.code == 0
    assert "vidore_v3_hr" in told.stdout
    assert re.search(r"runs/good\s+fake\s+ndcg@5 0\.\d{3}$", told.stdout, re.MULTILINE)
    assert re.search(r"runs/half\s+fake\s+stopped after 0 of 12 queries$", told.stdout, re.MULTILINE)
    assert "bad/run.json is not JSON" in told.stdout
    as_json = json.loads(ragvl("eval", "list", "--json").stdout)
    assert [run["finished"] for run in as_json["runs"]] == [True, False]
    assert "llama-index" in as_json["systems"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    """It says what it does and shows a line to try."""
    shown = CliRunner().invoke(
        app, ["eval", command, "--help"], prog_name="ragvl", env={"TERMINAL_WIDTH": "200"}
    )
    assert shown.exit_code == 0
    assert f"Example: ragvl eval {command}" in shown.output
    assert "--json" in shown.output


def test_help_imports_nothing_heavy() -> None:
    """`ragvl eval run --help` reaches no engine and no numpy; Typer itself takes pydantic for numbers in a range."""
    heavy = [name for name in (*HEAVY, "datasets", "rich.progress") if name != "pydantic"]
    code = (
        "import sys; from ragvl.cli import main; main(['eval', 'run', '--help']); "
        f"sys.stderr.write(','.join(name for name in {heavy!r} if name in sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert shown.stderr == ""
    assert "--fail-under" in shown.stdout


def test_a_folder_of_one_s_own_from_end_to_end(
    ragvl: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documents and questions in a folder, ragvl itself: indexed, asked, measured; a second run finds the index."""
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    write_documents(
        tmp_path / "own/documents",
        {
            "crane.pdf": ["The harbour crane lifts forty tonnes.", "It was built in Trieste."],
            "bread.txt": "Rye.",
        },
    )
    question = {"question": "How much can the harbour crane lift?", "document": "crane.pdf", "pages": [1]}
    (tmp_path / "own/questions.jsonl").write_text(json.dumps({**question, "answer": "forty tonnes"}) + "\n")
    first = ragvl("eval", "run", "own", "--json", "--fail-under", "ndcg@10=1")
    assert first.code == 0, first.stdout
    told = json.loads(first.stdout)
    assert told["metrics"]["in_document.ndcg@10"]["mean"] == 1.0
    assert told["metrics"]["citation_recall"]["mean"] == 1.0
    assert told["indexing"]["pages"] == 3
    again = json.loads(ragvl("eval", "run", "own", "--json", "--out", "again").stdout)
    assert again["indexing"] == told["indexing"]
