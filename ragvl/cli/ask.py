"""`ragvl ask`: an answer with citations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragvl.cli import session
from ragvl.cli.options import (
    FromOption,
    IndexOption,
    JsonOption,
    OutOption,
    PathOption,
    ProfileOption,
    SetOption,
    ShowOption,
    TypeOption,
    UntilOption,
    read_filters,
    read_settings,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ragvl.generator.grounding.prompt import Turn
    from ragvl.library import Library
    from ragvl.types import Answer, TextDelta

__all__ = ["ask"]


def ask(
    question: Annotated[str, typer.Argument(help="As you would ask a person.", metavar="QUESTION")],
    path: PathOption = None,
    media_type: TypeOption = None,
    from_: FromOption = None,
    until: UntilOption = None,
    after: Annotated[
        list[Path] | None,
        typer.Option(
            "--after",
            metavar="FILE",
            help="An earlier answer that this question goes on from, as `ask --json` wrote it; oldest first.",
        ),
    ] = None,
    no_rewrite: Annotated[
        bool, typer.Option("--no-rewrite", help="With --after: search for the question's own words.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell what the answer was made from, and what was left out.")
    ] = False,
    show: ShowOption = False,
    out: OutOption = None,
    index_folder: IndexOption = None,
    profile: ProfileOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from the documents; each statement is cited to its page."""
    from ragvl.cli.answers import write_answer_json, write_answer_page

    if not question.strip():
        raise typer.BadParameter("the question is empty.")
    where = read_filters(path, media_type, from_, until)
    going_on: dict[str, Any] = {"history": _read_turns(after), "rewrite": not no_rewrite} if after else {}
    with session.open_library(index_folder, profile, read_settings(settings)) as library:
        if as_json:
            answer = library.ask(question, where, **going_on)
        else:
            answer = _print_answer(library, question, where, going_on, hint=not (show or out))
            if explain:
                _print_ledger(answer)
        shown = write_answer_page(library, answer, out) if show or out else None
    if as_json:
        write_answer_json(answer, shown)
    elif shown:
        from ragvl.cli.shown import tell_page
        from ragvl.cli.terminal import results

        tell_page(results(), shown, open_it=out is None)


def _read_turns(files: Sequence[Path]) -> list[Turn]:
    from ragvl.generator.modes.history import turn_of_text

    turns = []
    for file in files:
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            turns.append(turn_of_text(said["question"], said["text"]))
        except OSError as error:
            raise typer.BadParameter(f"{file}: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise typer.BadParameter(f"{file} is no answer; write one with `ragvl ask --json`.") from None
    return turns


def _print_answer(
    library: Library,
    question: str,
    where: dict[str, Any] | None,
    going_on: Mapping[str, Any],
    *,
    hint: bool,
) -> Answer:
    from ragvl.cli.answers import print_citations, print_searched_for, print_text
    from ragvl.cli.terminal import results

    console = results()
    if console.is_terminal:
        answer = _print_stream(console, library.ask_stream(question, where, **going_on))
    else:
        answer = library.ask(question, where, **going_on)
        print_text(console, answer.text)
    print_citations(console, answer)
    print_searched_for(console, answer)
    if hint and console.is_terminal and (answer.citations or answer.hits):
        console.print("\nadd --show to see the place on the page", style="dim")
    return answer


def _print_ledger(answer: Answer) -> None:
    from ragvl.cli.ledger import print_ledger
    from ragvl.cli.terminal import results

    print_ledger(results(), answer)


def _print_stream(console: Console, events: Iterator[TextDelta | Answer]) -> Answer:
    """Print text as it comes; the finished answer's text is printed as well where it is not what came."""
    from ragvl.cli.answers import print_piece, print_text
    from ragvl.cli.terminal import errors
    from ragvl.errors import GeneratorError
    from ragvl.types import Answer

    came = ""
    with errors().status("looking it up") as waiting:
        for event in events:
            waiting.stop()
            if isinstance(event, Answer):
                if came:
                    console.print()
                if event.text.strip() != came.strip():
                    print_text(console, event.text)
                return event
            came += event.text
            print_piece(console, event.text)
    raise GeneratorError("the generator ended without an answer; ask again, or choose another with --profile")
