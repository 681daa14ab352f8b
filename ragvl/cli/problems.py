"""An error as the user sees it: one line that says what, where and what to do, or one JSON document."""

from __future__ import annotations

import difflib
import sys
import traceback

from ragvl.errors import RagvlError

__all__ = ["EXIT_FAILED", "EXIT_STOPPED", "EXIT_WRONG_USE", "exit_code_of", "explain", "show_problem"]

EXIT_FAILED = 1
EXIT_WRONG_USE = 2
EXIT_STOPPED = 130


def exit_code_of(error: Exception) -> int:
    """2 where the command line itself was wrong, 1 where the command failed."""
    return EXIT_WRONG_USE if _is_wrong_use(error) else EXIT_FAILED


def explain(error: Exception) -> str:
    """
    Say what happened, and what to do, without a trace.

    Returns:
        One line; "" when the error was told already, as for a call without arguments, which shows the help.
    """
    if _is_wrong_use(error):
        return _explain_wrong_use(error)
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    if isinstance(error, (RagvlError, ValueError, OSError)) and str(error):
        return str(error)
    return (
        f"{type(error).__name__}: {error}. This is a fault in ragvl: run the same again with --debug "
        "and report what it shows."
    )


def show_problem(error: Exception, *, as_json: bool, debug: bool) -> None:
    """Write an error to stderr, or as JSON to stdout; with `debug` also where it came from."""
    from ragvl.cli.terminal import errors, one_line, plain, write_json

    message = one_line(explain(error))
    if debug:
        sys.stderr.write(plain("".join(traceback.format_exception(error))))
    if as_json:
        kind = "UsageError" if _is_wrong_use(error) else type(error).__name__
        write_json({"error": {"type": kind, "message": message}})
    elif message:
        from rich.text import Text

        errors().print(Text(f"error: {message}", style="bold red"), soft_wrap=True)


def _is_wrong_use(error: Exception) -> bool:
    # Typer's and Click's usage errors, whichever of the two packages they come from.
    return getattr(error, "exit_code", None) == EXIT_WRONG_USE and hasattr(error, "format_message")


def _explain_wrong_use(error: Exception) -> str:
    nearest = difflib.get_close_matches(
        str(getattr(error, "option_name", "")), getattr(error, "possibilities", None) or (), n=1, cutoff=0
    )
    if nearest:
        message = f"{getattr(error, 'message', '').rstrip('.')}. Did you mean {nearest[0]}?"
    else:
        message = str(getattr(error, "format_message", str)()).replace("Value error, ", "")
    if not message:
        return ""
    if message[-1] not in ".?!":
        message += "."
    command = getattr(getattr(error, "ctx", None), "command_path", "ragvl")
    return f"{message} See: {command} --help"
