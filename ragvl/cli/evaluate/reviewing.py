"""Asking a person about drafts, one after the other, in the terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragvl.errors import RagvlError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ragvl.evals.drafting import QuestionFile

__all__ = ["Reviewer", "require_terminal"]

_HELP = "y keep it   n drop it   e change it   s ask me later   q stop"
_WORDS = {"y": "yes", "n": "no", "e": "edit", "s": "skip", "q": "quit"}


def require_terminal(path: Path) -> None:
    """
    Refuse to ask where nobody can answer.

    Raises:
        RagvlError: stdin or stdout is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise RagvlError(
            "review asks questions and there is no terminal to ask them in: run it in one, read the drafts with "
            f'--json, or edit {path} and take "draft": true out of what you accept'
        )


class Reviewer:
    """A round through the drafts of a file; each answer is saved at once."""

    def __init__(self, questions: QuestionFile, console: Console) -> None:
        self._questions = questions
        self._console = console

    def run(self) -> None:
        """Ask about each draft, until the last one or until the person stops."""
        try:
            self._round()
        except EOFError:
            self._console.print()

    def _round(self) -> None:
        drafts = self._questions.drafts()
        for number, row in enumerate(drafts, 1):
            self._print(row, number, len(drafts))
            choice = self._choose()
            if choice == "q":
                return
            self._do(choice, row)

    def _do(self, choice: str, row: dict[str, Any]) -> None:
        if choice == "y":
            self._questions.accept(row)
        elif choice == "n":
            self._questions.discard(row)
        elif choice == "e":
            question = self._change("question", str(row["question"]))
            answer = self._change("answer", str(row["answer"])) if "answer" in row else None
            self._questions.accept(row, question, answer)

    def _choose(self) -> str:
        while True:
            said = self._ask(f"{_HELP}\n[y/n/e/s/q] ").strip().lower()
            if said[:1] in _WORDS and _WORDS[said[:1]].startswith(said):
                return said[0]
            if not said:
                continue
            self._console.print("say y, n, e, s or q", style="yellow")

    def _change(self, what: str, before: str) -> str:
        """Ask for other words; none keeps those that were there."""
        return self._ask(f"{what}, Enter keeps it: ").strip() or before

    def _ask(self, prompt: str) -> str:
        return self._console.input(prompt, markup=False)

    def _print(self, row: dict[str, Any], number: int, total: int) -> None:
        from rich.padding import Padding
        from rich.text import Text

        from ragvl.cli.terminal import one_line

        self._console.print()
        self._console.rule(Text(f"{number} of {total}"), align="left", style="dim")
        self._console.print(_place(row, self._questions.documents), soft_wrap=True)
        if row.get("excerpt"):
            self._console.print(
                Padding(_excerpt(str(row["excerpt"]), str(row.get("quote", ""))), (1, 0, 1, 4))
            )
        told = Text("question  ", style="dim")
        told.append(one_line(str(row["question"])), style="not dim bold")
        self._console.print(told, soft_wrap=True)
        told = Text("answer    ", style="dim")
        answer = row.get("answer") or ("the documents do not say" if row.get("answerable") is False else "")
        told.append(one_line(str(answer)), style="not dim")
        self._console.print(told, soft_wrap=True)


def _place(row: dict[str, Any], documents: Path) -> Text:
    from rich.text import Text

    from ragvl.cli.terminal import one_line

    if not row.get("document"):
        return Text("asks for what no document says", style="cyan")
    pages = ", ".join(str(page) for page in row.get("pages", ()))
    place = Text(one_line(str(documents / row["document"])), style="bold cyan")
    return place.append(f"  page {pages}", style="not bold default")


def _excerpt(excerpt: str, quote: str) -> Text:
    """The words around a quote, which is marked; line ends in the two may differ."""
    from rich.text import Text

    from ragvl.cli.terminal import plain

    text = Text(plain(excerpt), style="dim")
    words = [re.escape(word) for word in plain(quote).split()]
    if words:
        text.highlight_regex(re.compile(r"\s+".join(words)), style="not dim bold yellow")
    return text
