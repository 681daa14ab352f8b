"""The command line as a whole: exit codes, errors, help, and what it costs to start."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ragvl as package
from ragvl.cli.app import app
from ragvl.errors import IndexLockedError, IndexNotFoundError

COMMANDS = (
    "index",
    "search",
    "ask",
    "extract",
    "compare",
    "summarise",
    "list",
    "remove",
    "verify",
    "compact",
    "calibrate",
    "doctor",
)
README = Path(__file__).parents[2] / "README.md"
HEAVY = ("torch", "faiss", "onnxruntime", "openvino", "pymupdf", "numpy", "pydantic", "apsw", "yaml", "PIL")
CALLS = (
    ("index", "."),
    ("search", "x"),
    ("ask", "x"),
    ("list",),
    ("remove", "x"),
    ("verify",),
    ("compact",),
)


def _process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ragvl", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def test_there_are_these_commands_and_no_others() -> None:
    """The commands are those that the design promises."""
    named = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    assert set(COMMANDS) == named


@pytest.mark.skipif(not README.is_file(), reason="README.md is not there yet")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    """Each command stands in README.md as `ragvl NAME`."""
    assert re.search(rf"\bragvl {command}\b", README.read_text("utf-8"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    """`ragvl COMMAND --help` says what it does and shows a line to try."""
    shown = CliRunner().invoke(app, [command, "--help"], prog_name="ragvl", env={"TERMINAL_WIDTH": "200"})
    assert shown.exit_code == 0
    assert f"Example: ragvl {command}" in shown.output
    assert "--json" in shown.output
    assert "--index" in shown.output


def test_version(ragvl: Any) -> None:
    """`ragvl --version` names the version."""
    outcome = ragvl("--version")
    assert (0, f"ragvl {package.__version__}\n") == (outcome.code, outcome.stdout)


def test_without_a_command_help_is_shown(ragvl: Any) -> None:
    """`ragvl` alone is wrong use: it shows what it can do and nothing else."""
    outcome = ragvl()
    assert outcome.code == 2
    assert "search" in outcome.stdout
    assert "error" not in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("serch", "x"), "'search'"),
        (("search", "x", "--pth", "y"), "Did you mean --path?"),
        (("search", "x", "-k", "0"), "greater than or equal to 1"),
        (("search", " "), "query is empty"),
        (("ask", ""), "question is empty"),
        (("search", "x", "--until", "soon"), "2018-01-31"),
        (("index",), "Missing argument"),
        (("index", ".", "--set", "workers"), "KEY=VALUE"),
        (("index", ".", "--set", "a=1", "--set", "a.b=2"), "given a value before"),
        (("index", ".", "--set", "a=["), "not valid YAML"),
        (("index", ".", "--watch", "--dry-run"), "--watch"),
        (("index", ".", "--watch", "--json"), "--watch"),
        (("list", "--status", "lockd"), "locked"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(
    ragvl: Any, library: Any, arguments: tuple[str, ...], told: str
) -> None:
    """A mistyped line is told in one line, with the nearest name or the right form, and ends with 2."""
    outcome = ragvl(*arguments)
    assert outcome.code == 2
    assert told in outcome.stdout + outcome.stderr
    if "--json" not in arguments:
        assert outcome.stderr.count("\n") == 1
        assert outcome.stdout == ""


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (IndexNotFoundError("no index at /x: run `ragvl index PATH` first"), "error: no index at /x"),
        (ValueError("no document at 'x'"), "error: no document at 'x'"),
        (
            FileNotFoundError(2, "No such file or directory", "/docs"),
            "error: /docs: No such file or directory",
        ),
        (RuntimeError("oh"), "--debug"),
    ],
)
def test_failures_are_one_line_and_exit_1(
    ragvl: Any, library: Any, call: tuple[str, ...], error: Exception, told: str
) -> None:
    """What the library raises is told in one line on stderr, without a trace, and ends with 1."""
    library.error = error
    outcome = ragvl(*call)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert told in outcome.stderr
    assert outcome.stderr.count("\n") == 1


@pytest.mark.parametrize("call", CALLS)
def test_failures_as_json(ragvl: Any, library: Any, call: tuple[str, ...]) -> None:
    """With --json an error is one JSON document on stdout and nothing on stderr."""
    library.error = IndexLockedError("busy\x1b[31m")
    outcome = ragvl(*call, "--json")
    assert json.loads(outcome.stdout) == {"error": {"type": "IndexLockedError", "message": "busy[31m"}}
    assert (outcome.code, outcome.stderr) == (1, "")


def test_wrong_use_as_json(ragvl: Any) -> None:
    """With --json a mistyped line is a JSON document, too."""
    outcome = ragvl("search", "x", "--pth", "y", "--json")
    assert outcome.code == 2
    assert json.loads(outcome.stdout)["error"]["type"] == "UsageError"


def test_json_behind_a_double_dash_is_no_option(ragvl: Any, library: Any) -> None:
    """Words after `--` are arguments, whatever they look like."""
    library.error = ValueError("nothing")
    outcome = ragvl("search", "--", "--json")
    assert (outcome.stdout, outcome.code) == ("", 1)
    assert "error: nothing" in outcome.stderr


@pytest.mark.parametrize("arguments", [("--debug", "list"), ("list", "--debug")])
def test_debug_shows_where_an_error_came_from(ragvl: Any, library: Any, arguments: tuple[str, ...]) -> None:
    """`--debug`, anywhere on the line, adds the trace."""
    library.error = ValueError("odd \x1b[2J")
    outcome = ragvl(*arguments)
    assert outcome.code == 1
    assert "Traceback" in outcome.stderr
    assert "\x1b" not in outcome.stderr


def test_debug_by_environment(ragvl: Any, library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """RAGVL_DEBUG=1 does what --debug does."""
    monkeypatch.setenv("RAGVL_DEBUG", "1")
    library.error = ValueError("odd")
    assert "Traceback" in ragvl("list").stderr


def test_ctrl_c_ends_with_130(ragvl: Any, library: Any) -> None:
    """Ctrl-C is no failure and needs no words."""
    library.error = KeyboardInterrupt()
    outcome = ragvl("search", "x")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (130, "", "")


def test_help_imports_nothing_heavy() -> None:
    """`ragvl --help` imports no engine, no numpy and no pydantic."""
    code = (
        "import sys; from ragvl.cli import main; main(['--help']); "
        f"sys.stderr.write(','.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert shown.stderr == ""
    assert "search" in shown.stdout


def test_help_is_quick() -> None:
    """`ragvl --help` as a whole process takes a moment; the limit leaves room for a busy machine."""
    best_s = min(_seconds_of_help() for _ in range(5))
    assert best_s < 0.6


def test_error_in_a_process_of_its_own(tmp_path: Path) -> None:
    """The module runs as a program, and its exit code reaches the shell."""
    ended = _process("search", "x", "--json", "--nonsense", cwd=tmp_path)
    assert ended.returncode == 2
    assert json.loads(ended.stdout)["error"]["type"] == "UsageError"
    assert ended.stderr == ""


def test_reader_that_goes_away_is_no_error() -> None:
    """`ragvl … | head` ends in silence."""
    command = f"{sys.executable} -m ragvl --help | true"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr == ""


def _seconds_of_help() -> float:
    started = time.perf_counter()
    _process("--help")
    return time.perf_counter() - started
