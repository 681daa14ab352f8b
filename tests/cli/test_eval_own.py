"""`ragvl eval init`, `review` and `report`: from a folder of documents to questions, and from runs to a page."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ragvl.cli import main
from ragvl.testing import write_documents

PROSE = (
    "This is the report of the board to the members of the society, and it is about the work of the year and what "
    "was done in it by those who are paid for it.\n\n"
    "The old Harbour bridge was built in 1874 by masons.\n\n"
    "Nine apprentices started in September.\n\n"
    "The least depth at low water is now 3.4 metres.\n"
)

Typed = Callable[..., None]


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of documents, in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_documents(tmp_path / "docs", {"report.txt": PROSE, "silent.txt": "nothing to ask"})
    return tmp_path / "docs"


@pytest.fixture
def questions(documents: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The question file that init makes of them."""
    assert main(["eval", "init", "docs"]) == 0
    capsys.readouterr()
    return documents.parent / "eval-docs" / "questions.jsonl"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """A person at a terminal, who types these lines and then ends the input."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def sit_down(*lines: str) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{line}\n" for line in lines)))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    return sit_down


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_init_writes_drafts_and_links_the_documents(
    documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drafts lie beside a link to the documents; documents that gave none are named."""
    assert main(["eval", "init", "docs", "--out", "mine"]) == 0
    told = capsys.readouterr().out
    assert "3 drafts from 1 document" in told
    assert "no draft from: silent.txt" in told
    assert "ragvl eval review mine" in told
    assert (documents.parent / "mine" / "documents").resolve() == documents
    found = rows(documents.parent / "mine" / "questions.jsonl")
    assert all(row["draft"] is True and row["document"] == "report.txt" for row in found)
    assert "When was the old Harbour bridge built?" in [row["question"] for row in found]


def test_init_keeps_to_the_number_asked_for(documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--questions bounds the drafts; --json tells all of them."""
    assert main(["eval", "init", "docs", "--questions", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["drafts"]) == 2
    assert told["without_drafts"] == ["silent.txt"]


def test_init_does_not_write_over_questions(questions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second init is refused, and says how to go on; the file is as it was."""
    before = questions.read_bytes()
    assert main(["eval", "init", "docs"]) == 1
    assert "go on with `ragvl eval review eval-docs`" in capsys.readouterr().err
    assert questions.read_bytes() == before


def test_init_of_no_folder_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is told as such."""
    assert main(["eval", "init", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_review_without_a_terminal_says_what_to_do(
    questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody can answer, nothing is asked and nothing changes."""
    before = questions.read_bytes()
    assert main(["eval", "review", "eval-docs"]) == 1
    told = capsys.readouterr().err
    assert "no terminal to ask them in" in told
    assert "--json" in told
    assert questions.read_bytes() == before


def test_review_keeps_drops_and_changes(
    questions: Path, typed: Typed, capsys: pytest.CaptureFixture[str]
) -> None:
    """y keeps a draft, n drops it, e asks for other words; what is accepted is no draft any more."""
    before = rows(questions)
    typed("y", "n", "e", "How deep is it there?", "")
    assert main(["eval", "review", "eval-docs"]) == 0
    kept = rows(questions)
    assert [row["question"] for row in kept] == [before[0]["question"], "How deep is it there?"]
    assert kept[1]["answer"] == before[2]["answer"]
    assert not any("draft" in row or "excerpt" in row for row in kept)
    told = capsys.readouterr().out
    assert "1 of 3" in told
    assert str(before[0]["quote"]) in told
    assert "2 questions, 0 drafts left" in told
    assert "ragvl eval run eval-docs" in told


def test_review_goes_on_where_it_stopped(
    questions: Path, typed: Typed, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each answer is saved at once: after q, and after a lost terminal, the rest is asked the next time."""
    typed("y", "q")
    assert main(["eval", "review", "eval-docs"]) == 0
    assert "1 question, 2 drafts left" in capsys.readouterr().out
    typed("n")
    assert main(["eval", "review", "eval-docs"]) == 0
    told = capsys.readouterr().out
    assert "1 of 2" in told
    assert "1 question, 1 draft left" in told


def test_lost_terminal_while_changing_changes_nothing(questions: Path, typed: Typed) -> None:
    """A change that was begun and not finished leaves the draft as it was."""
    before = rows(questions)
    typed("e", "Something el")
    assert main(["eval", "review", "eval-docs"]) == 0
    assert rows(questions) == before


def test_review_asks_again_for_what_it_does_not_know(
    questions: Path, typed: Typed, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words other than the five are not taken for one of them."""
    typed("perhaps", "yes", "quit")
    assert main(["eval", "review", "eval-docs"]) == 0
    assert "say y, n, e, s or q" in capsys.readouterr().out
    assert len([row for row in rows(questions) if "draft" not in row]) == 1


def test_review_shows_drafts_on_their_pages(questions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--out writes the page and asks nothing."""
    assert main(["eval", "review", "eval-docs", "--out", "drafts.html"]) == 0
    html = (questions.parent.parent / "drafts.html").read_text("utf-8")
    assert "When was the old Harbour bridge built?" in html
    assert html.count("<symbol") == 1
    assert "<script" not in html
    assert "drafts.html" in capsys.readouterr().out


def test_review_as_json_asks_nothing(questions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json tells the drafts that are left."""
    assert main(["eval", "review", "eval-docs", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["reviewed"] == 0
    assert len(told["drafts"]) == 3


def test_review_of_nothing_says_how_to_begin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without questions is told as such."""
    assert main(["eval", "review", str(tmp_path)]) == 1
    assert "`ragvl eval init FOLDER_OF_DOCUMENTS` makes one" in capsys.readouterr().err


def test_from_documents_to_a_report(
    questions: Path, typed: Typed, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is reviewed can be run, and the run reported on, with pictures of the pages that were missed or not."""
    typed("y", "y", "y")
    assert main(["eval", "review", "eval-docs"]) == 0
    assert main(["eval", "run", "eval-docs", "--out", "run", "--set", "reading.workers=1"]) == 0
    capsys.readouterr()
    assert main(["eval", "report", "run", "--out", "out/report.html", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    html = Path(told["report"]).read_text("utf-8")
    assert told["bytes"] == len(html.encode())
    assert "eval-docs" in html
    assert "How well pages are found" in html


def test_report_of_no_run_names_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that holds no run is told as such."""
    assert main(["eval", "report", str(tmp_path)]) == 1
    assert "holds no run" in capsys.readouterr().err
