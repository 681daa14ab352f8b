"""`ragvl ask`: an answer with citations."""

from __future__ import annotations

from collections.abc import Iterator
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

    from ragvl.library import Library
    from ragvl.types import Answer, TextDelta

__all__ = ["ask"]


def ask(
    question: Annotated[str, typer.Argument(help="As you would ask a person.", metavar="QUESTION")],
    path: PathOption = None,
    media_type: TypeOption = None,
    from_: FromOption = None,
    until: UntilOption = None,
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
    if not question.strip():
        raise typer.BadParameter("the question is empty.")
    where = read_filters(path, media_type, from_, until)
    with session.open_library(index_folder, profile, read_settings(settings)) as library:
        if as_json:
            answer = library.ask(question, where)
        else:
            answer = _print_answer(library, question, where, hint=not (show or out))
            if explain:
                _print_ledger(answer)
        shown = _write_page(library, answer, out) if show or out else None
    if as_json:
        _write_json(answer, shown)
    elif shown:
        from ragvl.cli.shown import tell_page
        from ragvl.cli.terminal import results

        tell_page(results(), shown, open_it=out is None)


def _print_answer(library: Library, question: str, where: dict[str, Any] | None, *, hint: bool) -> Answer:
    from ragvl.cli.answers import print_citations, print_text
    from ragvl.cli.terminal import results

    console = results()
    if console.is_terminal:
        answer = _print_stream(console, library.ask_stream(question, where))
    else:
        answer = library.ask(question, where)
        print_text(console, answer.text)
    print_citations(console, answer)
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


def _write_page(library: Library, answer: Answer, out: Path | None) -> Path:
    from ragvl.cli.shown import write_page
    from ragvl.show import answer_page

    return write_page(answer_page(answer, library.page_image), answer.question, out)


def _write_json(answer: Answer, shown: Path | None) -> None:
    from ragvl.cli.hits import ranked_json
    from ragvl.cli.serialise import to_json
    from ragvl.cli.terminal import write_json

    fields = to_json(answer)
    page = {"shown": shown} if shown else {}
    if isinstance(fields, dict):
        write_json({**fields, "hits": ranked_json(answer.hits), **page})
