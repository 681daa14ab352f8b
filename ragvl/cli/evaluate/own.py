"""`ragvl eval init` and `ragvl eval review`: from somebody's own documents to questions that a person has looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragvl.cli.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ragvl.evals.drafting import Draft, FolderPages, QuestionFile

__all__ = ["init", "review"]

DocumentsArgument = Annotated[
    Path,
    typer.Argument(metavar="FOLDER", help="The documents.", exists=True, file_okay=False, readable=True),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="Where the questions are kept; else eval-<name of the folder>."
    ),
]
CountOption = Annotated[int, typer.Option("--questions", min=1, max=1000, help="How many drafts at most.")]
MostOption = Annotated[
    int,
    typer.Option(
        "--documents", min=1, metavar="N", help="Read at most N documents, the same ones each time."
    ),
]
QuestionsArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="What `ragvl eval init` made, or a questions.jsonl.")
]
ShowOption = Annotated[bool, typer.Option("--show", help="Show the drafts on their pages, in the browser.")]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the page of --show here and do not open it."),
]
_FEW_DRAFTS = 8


def init(
    documents: DocumentsArgument,
    out: FolderOption = None,
    questions: CountOption = 30,
    most: MostOption = 60,
    as_json: JsonOption = False,
) -> None:
    """
    Draft questions about a folder of documents, for a person to review.

    Drafts are made of sentences and table rows that state a figure, a date or a meaning; nothing is sent anywhere,
    and no model writes them. English documents only; questions in other languages are yours to add.
    """
    from ragvl.cli.terminal import errors
    from ragvl.config import load_config
    from ragvl.evals.drafting import check_free, draft_questions, lay_out, read_folder

    folder = out or Path(f"eval-{documents.resolve().name}")
    check_free(folder, documents)
    with errors().status("reading documents") as status:
        pages = read_folder(
            documents,
            load_config("embedded"),
            most,
            lambda done, total: status.update(f"reading documents: {done} of {total}"),
        )
    complete = not pages.left_out and not pages.failed
    drafts = draft_questions(pages.documents, questions, complete=complete)
    written = lay_out(folder, documents, drafts)
    _tell_drafts(written, drafts, pages, asked=questions, as_json=as_json)


def _tell_drafts(
    written: QuestionFile, drafts: Sequence[Draft], pages: FolderPages, *, asked: int, as_json: bool
) -> None:
    from ragvl.cli.quantities import counted
    from ragvl.cli.terminal import errors, one_line, results, write_json

    silent = sorted({one.path for one in pages.documents} - {draft.document for draft in drafts})
    for name, reason in pages.failed:
        errors().print(one_line(f"{name}: {reason}"), style="yellow", soft_wrap=True)
    if as_json:
        failed = [{"path": name, "reason": reason} for name, reason in pages.failed]
        rows = written.rows
        left_out = pages.left_out
        write_json(
            {
                "questions": written.path,
                "drafts": rows,
                "without_drafts": silent,
                "failed": failed,
                "left_out": left_out,
            }
        )
        return
    console = results()
    console.print(
        f"{counted(len(drafts), 'draft')} from {counted(len(pages.documents) - len(silent), 'document')}"
        f" in {one_line(str(written.path))}",
        soft_wrap=True,
    )
    if silent:
        console.print(f"no draft from: {one_line(', '.join(silent))}", style="dim", soft_wrap=True)
    if pages.left_out:
        console.print(f"not read: {counted(pages.left_out, 'document')}, see --documents", style="dim")
    if drafts:
        console.print(
            f"\nlook at them: ragvl eval review {one_line(str(written.path.parent))}", soft_wrap=True
        )
    if len(drafts) < min(asked, _FEW_DRAFTS):
        console.print("add questions of your own to the file, one JSON object a line.", soft_wrap=True)


def review(
    folder: QuestionsArgument,
    show: ShowOption = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Look at each draft with its page: keep it, drop it, or change it.

    The file is saved after every answer; what is left is asked the next time. With --json nothing is asked: the
    drafts that are left are written.
    """
    from ragvl.cli.evaluate.reviewing import Reviewer, require_terminal
    from ragvl.cli.terminal import results, write_json
    from ragvl.evals.drafting import QuestionFile

    questions = QuestionFile.load(folder)
    drafts = questions.drafts()
    shown = _show(questions, out) if (show or out) and drafts else None
    if as_json:
        page = {"shown": shown} if shown else {}
        reviewed = len(questions.rows) - len(drafts)
        write_json({"questions": questions.path, "reviewed": reviewed, "drafts": drafts, **page})
        return
    console = results()
    if shown:
        _tell_shown(console, shown, open_it=out is None)
    if drafts and out is None:
        require_terminal(questions.path)
        Reviewer(questions, console).run()
    _tell_left(console, questions)


def _show(questions: QuestionFile, out: Path | None) -> Path:
    from ragvl.cli.shown import write_page
    from ragvl.evals.report import drafts_page

    title = f"Drafts in {questions.path.parent.name or questions.path.name}"
    return write_page(drafts_page(title, questions), title, out)


def _tell_shown(console: Console, page: Path, *, open_it: bool) -> None:
    from ragvl.cli.shown import tell_page

    tell_page(console, page, open_it=open_it)


def _tell_left(console: Console, questions: QuestionFile) -> None:
    from ragvl.cli.quantities import counted
    from ragvl.cli.terminal import one_line

    left = len(questions.drafts())
    kept = len(questions.rows) - left
    console.print(f"\n{counted(kept, 'question')}, {counted(left, 'draft')} left", soft_wrap=True)
    if kept and not left:
        console.print(
            f"measure with them: ragvl eval run {one_line(str(questions.path.parent))}", soft_wrap=True
        )
