"""A library that is not there, and a way to run the command line against it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

import pytest

from ragvl.cli import main, session
from ragvl.types import (
    Answer,
    BlockKind,
    Citation,
    Document,
    DocumentStatus,
    Failure,
    Hit,
    IndexEstimate,
    IndexProgress,
    IndexReport,
    LaneRank,
    Page,
    Passage,
    Region,
    TextDelta,
    TextSource,
    VerifyReport,
)

TEXT = "The capital expenditures of the company were $1,577 million in 2018."


def make_document(
    path: str = "10k/3M.pdf", status: DocumentStatus = DocumentStatus.OK, reason: str = ""
) -> Document:
    """Make a document as the index lists it."""
    changed = datetime(2024, 5, 17, 8, 30, tzinfo=UTC)
    return Document(
        1, path, "ab" * 32, "application/pdf", "Annual report", 160, 2 << 20, changed, status, reason
    )


def make_hit(path: str = "10k/3M.pdf", text: str = TEXT, heading: str = "Cash flow") -> Hit:
    """Make a hit with one passage."""
    page = Page(7, make_document(path), 31, 612.0, 792.0, f"{text} And more.", TextSource.LAYER, b"\x00words")
    passage = Passage(9, 31, BlockKind.TEXT, heading, text, 0, len(text), ((72.0, 100.0, 500.0, 112.0),))
    return Hit(page, 0.91, (LaneRank("lexical", 2, 8.1), LaneRank("text", 1, 0.83)), (passage,))


def make_answer(*, refused: bool = False, verified: bool = True, quote: str = TEXT) -> Answer:
    """Make an answer with one citation, or one that was refused."""
    hit = make_hit()
    region = Region(31, (72.0, 100.0, 500.0, 112.0))
    cited = () if refused else (Citation(hit.page.document, 31, (region,), quote, verified),)
    text = "" if refused else "It was $1,577 million [1]."
    return Answer("How much?", text, cited, refused, 0.0 if refused else 0.9, (hit,), (), "fake")


@dataclass
class FakeLibrary:
    """Answers what it was given, and remembers what it was asked."""

    folder: Path
    hits: list[Hit] = field(default_factory=lambda: [make_hit()])
    answer: Answer = field(default_factory=make_answer)
    pieces: tuple[str, ...] = ("It was ", "$1,577 million [1].")
    held: list[Document] = field(default_factory=lambda: [make_document()])
    report: IndexReport = field(
        default_factory=lambda: IndexReport(added=("10k/3M.pdf",), pages=160, passages=900)
    )
    states: tuple[IndexProgress, ...] = ()
    checked: VerifyReport = field(default_factory=lambda: VerifyReport(12, 5 << 20, ()))
    error: BaseException | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    opened: dict[str, Any] = field(default_factory=dict)
    runs: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def index(
        self, *paths: Path, progress: Callable[[IndexProgress], None] | None = None, **asked: Any
    ) -> IndexReport:
        self.runs += 1
        self.asked = {"paths": paths, **asked}
        for state in self.states:
            if progress:
                progress(state)
        self._fail()
        return self.report

    def estimate(self, *paths: Path, exclude: tuple[str, ...] = ()) -> IndexEstimate:
        self._fail()
        self.asked = {"paths": paths, "exclude": exclude}
        return IndexEstimate(
            ("a.pdf",),
            3,
            ("gone.pdf",),
            (Failure("b.bin", DocumentStatus.UNSUPPORTED, "no reader"),),
            160,
            75.0,
            9 << 20,
        )

    def search(self, query: str, k: int = 10, where: Mapping[str, Any] | None = None) -> list[Hit]:
        self._fail()
        self.asked = {"query": query, "k": k, "where": where}
        return self.hits

    def ask(self, question: str, where: Mapping[str, Any] | None = None) -> Answer:
        self._fail()
        self.asked = {"question": question, "where": where}
        return self.answer

    def ask_stream(
        self, question: str, where: Mapping[str, Any] | None = None
    ) -> Iterator[TextDelta | Answer]:
        yield from map(TextDelta, self.pieces)
        yield self.ask(question, where)

    def documents(self) -> list[Document]:
        self._fail()
        return self.held

    def remove(self, path: str) -> list[Document]:
        self._fail()
        self.asked = {"path": path}
        return self.held

    def verify(self, repair: bool = False) -> VerifyReport:
        self._fail()
        self.asked = {"repair": repair}
        return self.checked

    def compact(self) -> int:
        self._fail()
        return 3 << 20

    def heat_map(self, query: str, hit: Hit) -> None:
        """There is no image lane."""

    def page_image(self, document: Document, page_number: int, dpi: int = 110) -> bytes | None:
        return None

    def _fail(self) -> None:
        if self.error:
            raise self.error


@dataclass(frozen=True)
class Outcome:
    """What a run of the command line left behind."""

    code: int
    stdout: str
    stderr: str


class RunRagvl(Protocol):
    """Runs the command line in this process."""

    def __call__(self, *arguments: str, typed: str = "") -> Outcome:
        """Run with arguments, and what is typed on stdin."""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RAGVL_INDEX", "RAGVL_DEBUG", "FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeLibrary:
    """A library that every command opens instead of a real one."""
    fake = FakeLibrary(tmp_path / ".ragvl")

    def open_library(
        index: Path | None, profile: str | None = None, settings: Mapping[str, Any] | None = None
    ) -> Any:
        fake.opened = {"index": index, "profile": profile, "settings": settings}
        return fake

    monkeypatch.setattr(session, "open_library", open_library)
    return fake


@pytest.fixture
def ragvl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> RunRagvl:
    """The command line as the entry point runs it: with its own telling of errors, which `CliRunner` goes past."""

    def run(*arguments: str, typed: str = "") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        capsys.readouterr()
        code = main(arguments)
        written = capsys.readouterr()
        return Outcome(code, written.out, written.err)

    return run


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Rich take both streams for a terminal of 100 columns without colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
