"""Options of the commands under `ragvl eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "DEFAULT_WORK",
    "AnswersOption",
    "DataOption",
    "FailUnderOption",
    "GivenIndexOption",
    "InDocumentOption",
    "KOption",
    "LanguageOption",
    "LimitOption",
    "OracleOption",
    "ReadOption",
    "ResumeOption",
    "RevisionOption",
    "RunFolderOption",
    "SystemOption",
    "SystemProfileOption",
    "WorkOption",
]

DEFAULT_WORK = Path(".ragvl-eval")

WorkOption = Annotated[
    Path,
    typer.Option("--work", metavar="DIR", help="Where indexes, page files and runs are kept."),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="A local copy of the data of a known set, in place of the Hub."
    ),
]
RevisionOption = Annotated[
    str,
    typer.Option(
        "--revision", metavar="REV", help="Commit, branch or tag of a known set; else the pinned one."
    ),
]
SystemOption = Annotated[
    str,
    typer.Option("--system", metavar="NAME", help="What is measured: ragvl, bm25, dense, llama-index."),
]
SystemProfileOption = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="A profile or YAML file of ragvl.")
]
GivenIndexOption = Annotated[
    Path | None,
    typer.Option(
        "--index", metavar="DIR", help="A ready index of the set's documents, to be searched as it is."
    ),
]
ReadOption = Annotated[
    str,
    typer.Option(
        "--read", metavar="KIND", help="Read pages from files, images or text; auto: what there is."
    ),
]
KOption = Annotated[int, typer.Option("--k", "-k", min=10, max=1000, help="Pages that a search may find.")]
InDocumentOption = Annotated[
    bool,
    typer.Option(
        "--in-document/--no-in-document",
        help="Search once more in a question's own document alone, where the set names it.",
    ),
]
AnswersOption = Annotated[
    bool | None,
    typer.Option(
        "--answers/--no-answers", help="Answer the questions, too; else where the set can score answers."
    ),
]
OracleOption = Annotated[
    bool,
    typer.Option("--oracle", help="Answer once more from the right pages alone: what is lost in the search."),
]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit", min=1, metavar="N", help="Ask N questions only, the same ones each time."),
]
LanguageOption = Annotated[
    str,
    typer.Option("--language", metavar="CODE", help="Ask only the questions in one language, such as fr."),
]
RunFolderOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Keep the run here; else in the folder of --work, by date."),
]
ResumeOption = Annotated[
    Path | None, typer.Option("--resume", metavar="RUN", help="Go on with a run that was stopped.")
]
FailUnderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-under", metavar="METRIC=VALUE", help="End with 1 when a mean is lower: ndcg@5=0.55."
    ),
]
