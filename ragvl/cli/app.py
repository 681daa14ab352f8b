"""
The commands put together, and what every run of one has in common: its exit code and how an error is told.

Commands import what they need when they run, so that `ragvl --help` stays quick.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from ragvl import __version__
from ragvl.cli.ask import ask
from ragvl.cli.calibrate import calibrate
from ragvl.cli.compare import compare
from ragvl.cli.doctor import doctor
from ragvl.cli.evaluate import evaluate
from ragvl.cli.extract import extract
from ragvl.cli.index import index
from ragvl.cli.problems import EXIT_STOPPED, exit_code_of, show_problem
from ragvl.cli.search import search
from ragvl.cli.summarise import summarise
from ragvl.cli.upkeep import compact, list_documents, remove, verify

__all__ = ["app", "main"]

app = typer.Typer(
    name="ragvl",
    help="Answers about your own documents, on your own machine, cited down to the page and the place on it.",
    epilog='Begin with: [bold]ragvl index ./docs[/bold], then [bold]ragvl ask "What changed in 2018?"[/bold]',
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@dataclass(slots=True)
class Run:
    """What `main` learns from the callback below about the run that it started."""

    debug: bool = False


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"ragvl {__version__}")
        raise typer.Exit


@app.callback()
def _every_command(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and end.")
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", envvar="RAGVL_DEBUG", help="Log in detail and show where an error came from."
        ),
    ] = False,
) -> None:
    from ragvl.cli.logs import send_logs_to_stderr

    context.ensure_object(Run).debug = debug
    send_logs_to_stderr(debug)


def _example(line: str) -> str:
    return f"Example: [bold]{line}[/bold]"


app.command(epilog=_example("ragvl index ./docs --exclude 'drafts/'"))(index)
app.command(epilog=_example("ragvl search 'capital expenditure 2018' --path '10k/*' -k 5"))(search)
app.command(epilog=_example("ragvl ask 'What was the capital expenditure in 2018?' --show"))(ask)
app.command(epilog=_example("ragvl extract invoice.json --path 'invoices/0815.pdf'"))(extract)
app.command(epilog=_example("ragvl compare terms-2023.pdf terms-2024.pdf 'notice periods'"))(compare)
app.command(epilog=_example("ragvl summarise minutes/ 'what was decided'"))(summarise)
app.command("list", epilog=_example("ragvl list --status locked"))(list_documents)
app.command(epilog=_example("ragvl remove old/report.pdf"))(remove)
app.command(epilog=_example("ragvl verify --repair"))(verify)
app.command(epilog=_example("ragvl compact"))(compact)
app.command(epilog=_example("ragvl calibrate ./questions --error 0.1"))(calibrate)
app.command(epilog=_example("ragvl doctor"))(doctor)
app.add_typer(evaluate)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        arguments: without the name of the program; None takes those of the process.

    Returns:
        The exit code: 0 done, 1 failed, 2 wrong use, 130 stopped with Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    run = Run()
    try:
        code = app(_debug_first(words), prog_name="ragvl", standalone_mode=False, obj=run)
        _flush()
        return code if isinstance(code, int) else 0
    except (typer.Abort, KeyboardInterrupt):
        return EXIT_STOPPED
    except Exception as error:  # noqa: BLE001 -- the boundary: whatever it is, the user gets one line of it
        show_problem(error, as_json="--json" in _options(words), debug=run.debug)
        return exit_code_of(error)


def _options(words: Sequence[str]) -> list[str]:
    """Words that may be options: those before a lone `--`."""
    return list(words[: words.index("--")]) if "--" in words else list(words)


def _debug_first(words: list[str]) -> list[str]:
    """Let `--debug` stand anywhere on the line, as people add it to a line that failed."""
    if "--debug" not in _options(words):
        return words
    at = words.index("--debug")
    return ["--debug", *words[:at], *words[at + 1 :]]


def _flush() -> None:
    """Write what is left; a reader that went away (`ragvl list | head`) is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Else Python complains when it flushes once more at its end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
